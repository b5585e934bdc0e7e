//! A bill as the run folder has it, and back.

use prices::{Basis, Bill, BillItem, Item, Price, Quantity, Tier, UnitCost};
use reports::format::{Cost, CostBasis, CostItem, CostTier, Known, UnitCost as KeptUnitCost};

/// The bill as the run folder has it.
pub(super) fn kept(bill: Bill, basis: CostBasis) -> Cost {
    let Bill { currency, region, as_of, total, complete, items, unit_costs } = bill;
    Cost {
        basis,
        currency,
        region,
        as_of,
        total,
        complete,
        items: items.into_iter().map(kept_item).collect(),
        unit_costs: unit_costs
            .into_iter()
            .map(|UnitCost { what, each, count, amount }| KeptUnitCost {
                what,
                each,
                count: count.round() as u64,
                amount,
            })
            .collect(),
    }
}

fn kept_item(line: BillItem) -> CostItem {
    let BillItem { item, quantity, price: Price { price, per, tiers, source }, amount, basis } = line;
    let tier = |Tier { above, price }| CostTier { above, price };
    CostItem {
        item: item.key().into(),
        name: item.name().into(),
        quantity,
        unit: item.unit().into(),
        price,
        per,
        tiers: tiers.into_iter().map(tier).collect(),
        source,
        amount,
        known: match basis {
            Some(Basis::Counted) => Known::Counted,
            Some(Basis::Cloudwatch) => Known::Cloudwatch,
            Some(Basis::Plan) => Known::Plan,
            Some(Basis::Estimated) => Known::Estimated,
            None => Known::NotKnown,
        },
    }
}

/// The bill that was kept; items that this version does not know are left out.
pub(super) fn bill(cost: &Cost) -> Bill {
    let Cost { currency, region, as_of, total, complete, items, unit_costs, .. } = cost;
    Bill {
        currency: currency.clone(),
        region: region.clone(),
        as_of: as_of.clone(),
        total: *total,
        complete: *complete,
        items: items.iter().filter_map(line).collect(),
        unit_costs: unit_costs
            .iter()
            .map(|KeptUnitCost { what, each, count, amount }| UnitCost {
                what: what.clone(),
                each: *each,
                count: *count as f64,
                amount: *amount,
            })
            .collect(),
    }
}

fn line(kept: &CostItem) -> Option<BillItem> {
    let basis = match kept.known {
        Known::Counted => Some(Basis::Counted),
        Known::Cloudwatch => Some(Basis::Cloudwatch),
        Known::Plan => Some(Basis::Plan),
        Known::Estimated => Some(Basis::Estimated),
        Known::NotKnown => None,
    };
    let quantity = kept.quantity.zip(basis).map(|(amount, basis)| Quantity { amount, basis });
    let tiers = kept.tiers.iter().map(|&CostTier { above, price }| Tier { above, price }).collect();
    let price = Price { price: kept.price, per: kept.per, tiers, source: kept.source.clone() };
    Some(BillItem::new(Item::of_key(&kept.item)?, quantity, price))
}

#[cfg(test)]
mod tests {
    use prices::{PriceList, Usage};

    use super::*;

    #[test]
    fn what_was_kept_is_the_bill_that_it_was() {
        let mut usage = Usage::none()
            .with(Item::WebsocketMessages, 1.5e9, Basis::Counted)
            .with(Item::LambdaRequests, 3e6, Basis::Estimated)
            .with(Item::DynamodbReadUnits, 7.5, Basis::Plan);
        usage.forget(Item::SnsPublishes);
        let mut before = Bill::of(&usage, PriceList::shipped());
        before.divide("deliveries", 1e6, 12_345.0);
        let cost = kept(before.clone(), CostBasis::OnAws);
        assert_eq!(bill(&cost), before);
        assert_eq!((cost.items.len(), cost.complete), (Item::ALL.len(), false));
        assert_eq!(cost.items[1].amount, Some(1_400.0), "above 10^9 messages cost less");
    }
}
