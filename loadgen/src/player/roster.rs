//! All players: a mailbox for each, the waker of its task, and whether its socket is open.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use parking_lot::Mutex;
use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::seq::index::sample;
use scenarios::Plan;
use scenarios::plan::PlannedOperation;
use scenarios::plan::shard::Shard;

use super::commands::PlayerCommand;
use crate::clock::Micros;
use crate::delivery::presence::{Change, PeerState, Presence};
use crate::schedule::{Arrival, choices};

/// First number of the requests that players make by themselves, beyond any that the plan calls for.
pub(super) const OWN_REQUESTS: u64 = 1 << 48;

/// Arrivals that a player may have waiting; more means that its task does not get to run.
const BACKLOG: usize = 256;

/// Where the pacer and one player's task meet.
#[derive(Debug, Default)]
struct Mailbox {
    inbox: Mutex<Vec<Arrival>>,
    waker: AtomicWaker,
    /// How often the socket has been opened.
    socket_generation: AtomicU32,
    /// Requests of the closed model so far.
    rounds: AtomicU32,
    /// A [`PlayerCommand`] that the task has not seen yet; 0 when there is none.
    command: AtomicU8,
    /// When the oldest awaited answer times out, or the player wants to be woken; 0 for never.
    deadline: AtomicU64,
}

/// All players of a run.
#[derive(Debug)]
pub struct Players {
    shard: Shard,
    /// The players of this process.
    mailboxes: Box<[Mailbox]>,
    /// Of all players.
    peers: Box<[PeerState]>,
    stopping: AtomicBool,
    open: AtomicU64,
    peak_open: AtomicU64,
    awaited: AtomicU64,
    /// No deadline of a player is before this.
    next_deadline: AtomicU64,
}

impl Players {
    /// `count` players, none connected.
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self::of_shard(count, Shard::WHOLE)
    }

    /// A worker's share of `count` players, none of all connected.
    #[must_use]
    pub fn of_shard(count: u32, shard: Shard) -> Self {
        Self {
            shard,
            mailboxes: (0..count)
                .filter(|&player| shard.has(player.into()))
                .map(|_| Mailbox::default())
                .collect(),
            peers: (0..count).map(|_| PeerState::default()).collect(),
            stopping: AtomicBool::new(false),
            open: AtomicU64::new(0),
            peak_open: AtomicU64::new(0),
            awaited: AtomicU64::new(0),
            next_deadline: AtomicU64::new(Micros::MAX),
        }
    }

    /// Hands an arrival to a player and wakes its task; false when its mailbox is full.
    #[must_use]
    pub fn hand(&self, player: u32, arrival: Arrival) -> bool {
        let put = self.put(player, arrival);
        if put {
            self.wake(player);
        }
        put
    }

    /// Puts an arrival into a player's mailbox; false when it is full. Whoever is not the player's task wakes it.
    pub(super) fn put(&self, player: u32, arrival: Arrival) -> bool {
        let mut inbox = self.mailbox(player).inbox.lock();
        let room = inbox.len() < BACKLOG;
        if room {
            inbox.push(arrival);
            self.awaited.fetch_add(1, Ordering::Relaxed);
        }
        room
    }

    /// Which share of the players is of this process.
    #[must_use]
    pub const fn shard(&self) -> Shard {
        self.shard
    }

    /// Number of players of this process.
    #[must_use]
    pub const fn own(&self) -> u32 {
        self.mailboxes.len() as u32
    }

    /// Number of the `nth` player of this process.
    #[must_use]
    pub const fn nth(&self, nth: u32) -> u32 {
        self.shard.first() as u32 + nth * self.shard.step() as u32
    }

    /// The first player of this process from `start` on, round the end, whose socket is open and may be used.
    #[must_use]
    pub fn open_from(&self, start: u32) -> Option<u32> {
        self.own_from(start).find(|&player| self.peer(player).is(Presence::Open))
    }

    /// The players of this process from `start` on, round the end.
    pub(super) fn own_from(&self, start: u32) -> impl Iterator<Item = u32> {
        let behind = start.saturating_sub(self.shard.first() as u32).div_ceil(self.shard.step() as u32);
        let start = behind.min(self.own());
        (start..self.own()).chain(0..start).map(|nth| self.nth(nth))
    }

    /// The players that an arrival's message names: as many as it is to, of those that are there.
    #[must_use]
    pub fn recipients_of(&self, plan: &Plan, planned: &PlannedOperation, index: u64) -> Vec<u32> {
        let mut choices = choices(plan.seed, planned.what, index);
        let fan_out = choices.random_range(planned.fan_out.clone());
        self.draw_open(&mut choices, fan_out as usize)
    }

    /// Up to `wanted` different players, of this process or another, to whom others would send, drawn evenly: their
    /// sockets are open; those that do not read are among them, since other players cannot know.
    #[must_use]
    pub fn draw_open(&self, choices: &mut SmallRng, wanted: usize) -> Vec<u32> {
        let all = self.peers.len();
        // Most sockets are open in most runs: a draw with some to spare is enough, else all are looked at.
        for size in [all.min(wanted * 2 + 8), all] {
            let drawn = sample(choices, all, size).into_iter();
            let open: Vec<_> = drawn
                .filter(|&player| {
                    self.peers[player].is(Presence::Open) || self.peers[player].is(Presence::NotReading)
                })
                .take(wanted)
                .map(|player| player as u32)
                .collect();
            if open.len() == wanted || size == all {
                return open;
            }
        }
        Vec::new()
    }

    /// Whether a player, of this process or another, reads what is sent to it as soon as it comes.
    pub(super) fn reads(&self, player: u32) -> bool {
        self.peer(player).is(Presence::Open)
    }

    /// Sockets open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Highest number of sockets open at once.
    #[must_use]
    pub fn peak_open(&self) -> u64 {
        self.peak_open.load(Ordering::Relaxed)
    }

    /// Arrivals handed over whose end is awaited, handshakes included.
    #[must_use]
    pub fn awaited(&self) -> u64 {
        self.awaited.load(Ordering::Relaxed)
    }

    /// Tells every player to leave.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.mailboxes.iter().for_each(|mailbox| mailbox.waker.wake());
    }

    /// Wakes the players that wait for an answer past its time-out.
    pub fn wake_overdue(&self, now: Micros) {
        // There may be tens of thousands of players, and next to never one that is overdue.
        if now < self.next_deadline.load(Ordering::Relaxed) {
            return;
        }
        // Before the players are looked at: a deadline that is set meanwhile is either seen here or noted there.
        self.next_deadline.store(Micros::MAX, Ordering::SeqCst);
        for mailbox in &self.mailboxes {
            match mailbox.deadline.load(Ordering::SeqCst) {
                0 => {}
                overdue if overdue <= now => mailbox.waker.wake(),
                later => self.note_deadline(later),
            }
        }
    }

    fn note_deadline(&self, deadline: Micros) {
        if deadline < self.next_deadline.load(Ordering::SeqCst) {
            self.next_deadline.fetch_min(deadline, Ordering::SeqCst);
        }
    }

    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn mailbox(&self, player: u32) -> &Mailbox {
        &self.mailboxes[(player / self.shard.step() as u32) as usize]
    }

    /// Takes a player's waiting arrivals; the task is woken for the next.
    pub(super) fn take(&self, player: u32, cx: &Context<'_>) -> Vec<Arrival> {
        self.mailbox(player).waker.register(cx.waker());
        self.take_more(player)
    }

    /// Takes what has come into a player's mailbox meanwhile.
    pub(super) fn take_more(&self, player: u32) -> Vec<Arrival> {
        std::mem::take(&mut *self.mailbox(player).inbox.lock())
    }

    /// Waits for arrivals; `None` when there are none and the run is over.
    pub(super) fn poll_arrivals(&self, player: u32, cx: &Context<'_>) -> Poll<Option<Vec<Arrival>>> {
        let arrivals = self.take(player, cx);
        if !arrivals.is_empty() {
            Poll::Ready(Some(arrivals))
        } else if self.stopping() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }

    /// Waits for the end of the run; arrivals stay where they are.
    pub(super) fn poll_stop(&self, player: u32, cx: &Context<'_>) -> Poll<()> {
        self.mailbox(player).waker.register(cx.waker());
        if self.stopping() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Something has changed with another process's player.
    pub fn set_elsewhere(&self, change: &Change) {
        if let Some(peer) = self.peers.get(change.player as usize)
            && !self.shard.has(change.player.into())
        {
            peer.change(change.presence, change.own_doing, change.at);
        }
    }

    /// A worker is gone, and its players with it.
    pub fn forget(&self, worker: u32) {
        let players = self.peers.iter().skip(worker as usize).step_by(self.shard.step() as usize);
        players.for_each(|peer| {
            peer.change(Presence::Closed, false, 0);
        });
    }

    /// The presence of a player of this process changes, by its own doing or not: what is pushed to a player that has
    /// itself made its socket useless cannot be expected until it is back. Tells whether the socket was open before.
    pub(crate) fn set_presence(&self, player: u32, presence: Presence, own_doing: bool, now: Micros) -> bool {
        let was_open = self.peer(player).change(presence, own_doing, now);
        if presence.is_open() && !was_open {
            self.mailbox(player).socket_generation.fetch_add(1, Ordering::Relaxed);
            let now_open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
            self.peak_open.fetch_max(now_open, Ordering::Relaxed);
        } else if was_open && !presence.is_open() {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
        was_open
    }

    fn peer(&self, player: u32) -> &PeerState {
        &self.peers[player as usize]
    }

    /// Whether a push of a send at `sent` could miss the player by the player's own doing.
    #[must_use]
    pub fn was_away(&self, player: u32, sent: Micros) -> bool {
        let until = self.peer(player).away_until.load(Ordering::Relaxed);
        until != 0 && sent <= until
    }

    /// Whether a player has a socket on which it sends, now or soon.
    pub(super) fn sends(&self, player: u32) -> bool {
        self.peer(player).is(Presence::Open) || self.is_leaving(player)
    }

    /// Whether a player is about to leave, or to send something malformed.
    #[must_use]
    pub fn is_leaving(&self, player: u32) -> bool {
        self.peer(player).is(Presence::Leaving)
    }

    pub(super) fn has_socket(&self, player: u32) -> bool {
        !self.peer(player).is(Presence::Closed)
    }

    /// Gives a player a command; false when it cannot take it: a cut needs a socket, a message one that may be used, and
    /// there is only one command at a time.
    pub(super) fn command(&self, player: u32, command: PlayerCommand) -> bool {
        let fit = match command {
            PlayerCommand::Cut(_) => self.has_socket(player),
            PlayerCommand::Send(_) => self.peer(player).is(Presence::Open),
        };
        let mailbox = self.mailbox(player);
        let given = fit
            && mailbox
                .command
                .compare_exchange(0, command.encode(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if given {
            mailbox.waker.wake();
        }
        given
    }

    /// Gives a command to the first player from `start` on, round the end, that can take it.
    pub(super) fn command_from(&self, start: u32, command: PlayerCommand) -> bool {
        self.own_from(start).any(|player| self.command(player, command))
    }

    /// Takes the command that a player was given.
    pub(super) fn take_command(&self, player: u32) -> Option<PlayerCommand> {
        let command = &self.mailbox(player).command;
        if command.load(Ordering::Relaxed) == 0 {
            return None;
        }
        PlayerCommand::decode(command.swap(0, Ordering::Relaxed))
    }

    /// A share of the players with an open socket, of this process or another, whatever they do with it. Every worker
    /// draws from all, with the same dice, and so comes to the same: a share of each one's own would be rounded in each.
    /// All players are put in order before those that are absent are left out, so that a worker that does not know of
    /// a change yet draws the others all the same.
    pub(super) fn victims(&self, share: f64, dice: &mut SmallRng) -> Vec<u32> {
        let mut players: Vec<u32> = (0..self.peers.len() as u32).collect();
        players.shuffle(dice);
        players.retain(|&player| self.has_socket(player));
        players.truncate((players.len() as f64 * share).round() as usize);
        players
    }

    /// Which of its sockets a player of this process has, or had last.
    pub(super) fn socket_generation(&self, player: u32) -> u32 {
        self.mailbox(player).socket_generation.load(Ordering::Relaxed)
    }

    /// A number for a player's next request in the closed model, which no other request of the run has. It is among
    /// the worker's own, as those of open arrivals are: every worker knows whose request it is.
    pub(super) fn next_request(&self, player: u32) -> u64 {
        let round = u64::from(self.mailbox(player).rounds.fetch_add(1, Ordering::Relaxed));
        let nth = u64::from(player) / self.shard.step();
        (round * self.mailboxes.len() as u64 + nth) * self.shard.step() + self.shard.first()
    }

    /// The same for a request that a player makes by itself, beyond the number of any that the plan calls for.
    pub(super) fn next_own_request(&self, player: u32) -> u64 {
        OWN_REQUESTS.next_multiple_of(self.shard.step()) + self.next_request(player)
    }

    /// Wakes a player's task soon.
    pub fn wake(&self, player: u32) {
        self.mailbox(player).waker.wake();
    }

    /// An arrival that was not handed over: the player's own session calls for it.
    pub(super) fn begun(&self) {
        self.awaited.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_deadline(&self, player: u32, deadline: Option<Micros>) {
        // Stored before it is noted, as `wake_overdue` looks in the other order.
        // What is due since the run's start is due at once: 0 is none.
        let deadline = deadline.map(|deadline| deadline.max(1));
        self.mailbox(player).deadline.store(deadline.unwrap_or(0), Ordering::SeqCst);
        deadline.into_iter().for_each(|deadline| self.note_deadline(deadline));
    }

    /// An arrival that was handed over has come to its end.
    pub(super) fn done(&self) {
        self.awaited.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use scenarios::plan::ledger::Ledger;
    use scenarios::plan::operation::Operation;

    use super::*;

    fn open(players: &Players, player: u32) {
        players.set_presence(player, Presence::Open, false, 1);
    }

    fn elsewhere(player: u32, presence: Presence) -> Change {
        Change { player, presence, was_open: false, own_doing: false, at: 1 }
    }

    #[test]
    fn recipients_are_different_open_players() {
        let players = Players::new(100);
        (0..100).step_by(3).for_each(|player| open(&players, player));
        let mut choices = SmallRng::seed_from_u64(1);
        for wanted in [1, 10, 34, 60] {
            let mut drawn = players.draw_open(&mut choices, wanted);
            assert_eq!(drawn.len(), wanted.min(34));
            assert!(drawn.iter().all(|player| player % 3 == 0));
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), wanted.min(34));
        }
        assert_eq!(players.open_from(1), Some(3));
        assert_eq!(players.open_from(99), Some(99));
        assert_eq!((players.open(), players.peak_open()), (34, 34));
        assert_eq!(Players::new(3).open_from(2), None);
        players.set_presence(99, Presence::NotReading, false, 2);
        players.set_presence(0, Presence::Leaving, false, 2);
        assert_eq!(players.open_from(99), Some(3), "a player that does not read or is leaving does not send");
        let drawn = players.draw_open(&mut choices, 100);
        assert!(drawn.contains(&99) && !drawn.contains(&0), "others still send to one that does not read");
        assert!(!players.reads(99));
        assert_eq!((players.open(), players.peak_open()), (34, 34), "their sockets are open all the same");
    }

    #[test]
    fn who_is_overdue_is_woken_and_nobody_else() {
        struct Woken(AtomicU64);
        impl std::task::Wake for Woken {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let players = Players::new(3);
        let woken = [(); 3].map(|()| std::sync::Arc::new(Woken(AtomicU64::new(0))));
        let look = |now| {
            for (player, woken) in woken.iter().enumerate() {
                players.mailbox(player as u32).waker.register(&std::sync::Arc::clone(woken).into());
            }
            players.wake_overdue(now);
            [0, 1, 2].map(|player: usize| woken[player].0.swap(0, Ordering::SeqCst))
        };
        assert_eq!(look(50), [0, 0, 0]);
        players.set_deadline(1, Some(100));
        players.set_deadline(2, Some(200));
        assert_eq!(look(99), [0, 0, 0]);
        assert_eq!(look(100), [0, 1, 0]);
        players.set_deadline(1, Some(300));
        players.set_deadline(0, Some(150));
        players.set_deadline(0, None);
        assert_eq!(look(199), [0, 0, 0]);
        assert_eq!(look(250), [0, 0, 1]);
        players.set_deadline(2, None);
        assert_eq!(look(400), [0, 1, 0]);
    }

    #[test]
    fn a_worker_sends_from_its_own_players_to_everybody() {
        let players = Players::of_shard(10, Shard::new(1, 3).unwrap());
        assert_eq!((players.own(), players.nth(2)), (3, 7));
        open(&players, 4);
        open(&players, 7);
        (0..10)
            .filter(|player| player % 3 != 1)
            .for_each(|player| players.set_elsewhere(&elsewhere(player, Presence::Open)));
        assert_eq!(players.open(), 2, "its own");
        for (start, found) in [(0, 4), (4, 4), (5, 7), (7, 7), (8, 4), (9, 4)] {
            assert_eq!(players.open_from(start), Some(found), "from {start}");
        }
        let mut drawn = players.draw_open(&mut SmallRng::seed_from_u64(1), 10);
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 2, 3, 4, 5, 6, 7, 8, 9]);
        players.forget(2);
        players.set_elsewhere(&elsewhere(4, Presence::Closed));
        let mut drawn = players.draw_open(&mut SmallRng::seed_from_u64(1), 10);
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 3, 4, 6, 7, 9], "one's own are not changed from elsewhere");
    }

    #[test]
    fn a_player_is_away_from_its_own_doing_until_it_is_back() {
        let players = Players::new(1);
        open(&players, 0);
        assert!(!players.was_away(0, 0), "it never was");
        players.set_presence(0, Presence::Closed, false, 4);
        players.set_presence(0, Presence::Open, false, 5);
        assert!(!players.was_away(0, 5), "a backend's drop is no excuse");
        players.set_presence(0, Presence::Closed, true, 90);
        assert!(players.was_away(0, 100));
        players.set_presence(0, Presence::Open, false, 200);
        assert!(players.was_away(0, 150) && players.was_away(0, 200) && !players.was_away(0, 201));
        let other = Players::of_shard(2, Shard::new(1, 2).unwrap());
        other.set_elsewhere(&Change { own_doing: true, ..elsewhere(0, Presence::Closed) });
        other.set_elsewhere(&elsewhere(0, Presence::Open));
        assert!(other.was_away(0, 1) && !other.was_away(0, 2), "other workers know it, too");
    }

    #[test]
    fn a_command_is_seen_once_and_only_with_an_open_socket() {
        let players = Players::new(1);
        let command = PlayerCommand::Cut(scenarios::plan::disruptions::Cut::Reset);
        assert!(!players.command(0, command));
        open(&players, 0);
        assert!(players.command(0, command) && !players.command(0, command));
        assert_eq!((players.take_command(0), players.take_command(0)), (Some(command), None));
    }

    #[test]
    fn a_full_mailbox_refuses() {
        let players = Players::new(1);
        let arrival = Arrival { operation: Operation::of(1), index: 0, due: 0, measured: Ledger::MEASURED };
        assert!((0..BACKLOG).all(|_| players.hand(0, arrival)));
        assert!(!players.hand(0, arrival));
    }

    proptest! {
        #[test]
        fn workers_cut_together_whom_one_process_would_cut(
            presences in prop::collection::vec(0_u8..4, 1..300), workers in 1_u32..9, share in 0.0..=1.0, seed: u64,
        ) {
            let of = |word| [Presence::Closed, Presence::Open, Presence::NotReading, Presence::Leaving][usize::from(word)];
            let victims = |shard: Shard| {
                let players = Players::of_shard(presences.len() as u32, shard);
                for (player, presence) in (0_u32..).zip(presences.iter().copied().map(of)) {
                    if shard.has(player.into()) {
                        players.set_presence(player, presence, false, 1);
                    } else {
                        let change = Change { player, presence, was_open: false, own_doing: false, at: 1 };
                        players.set_elsewhere(&change);
                    }
                }
                let victims = players.victims(share, &mut SmallRng::seed_from_u64(seed));
                victims.into_iter().filter(|player| shard.has((*player).into())).collect::<Vec<_>>()
            };
            let mut one = victims(Shard::WHOLE);
            let mut together: Vec<_> =
                (0..workers).flat_map(|worker| victims(Shard::new(worker, workers).unwrap())).collect();
            let open = presences.iter().filter(|presence| of(**presence).is_open()).count();
            prop_assert_eq!(together.len(), (open as f64 * share).round() as usize);
            one.sort_unstable();
            together.sort_unstable();
            prop_assert_eq!(together, one);
        }
    }

    #[test]
    fn a_change_that_is_not_known_yet_moves_nobody_else() {
        let players = Players::new(100);
        (0..100).for_each(|player| {
            players.set_presence(player, Presence::Open, false, 1);
        });
        let victims = || players.victims(0.5, &mut SmallRng::seed_from_u64(7));
        let before = victims();
        players.set_presence(before[10], Presence::Closed, false, 2);
        let after = victims();
        let others = before.iter().filter(|player| after.contains(player)).count();
        assert_eq!((before.len(), after.len(), others), (50, 50, 49));
    }

    #[test]
    fn what_is_due_at_the_start_of_the_run_is_due() {
        let players = Players::new(1);
        players.set_deadline(0, Some(0));
        let woken = std::sync::Arc::new(Woken::default());
        players.mailbox(0).waker.register(&std::task::Waker::from(std::sync::Arc::clone(&woken)));
        players.wake_overdue(5);
        assert!(woken.0.load(Ordering::Relaxed), "0 is an instant, and not the absence of one");
    }

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl std::task::Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
