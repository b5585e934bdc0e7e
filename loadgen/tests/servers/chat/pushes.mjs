// The pushes of the functions, shared with the process that they run in.

import { Pushes } from "../shared/pushes.mjs";
import { faults } from "../shared/server.mjs";

export const pushes = new Pushes(faults());
