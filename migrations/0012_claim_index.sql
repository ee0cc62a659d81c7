-- The walk of a claim is alone in saying `priority >= 0`, which all rows fulfil. What looks for a delivery by its key
-- can't use this index then: a plan that was made while the queue was short would, and read all that waits for the
-- endpoint once it is long.
drop index deliveries_claim;
create index deliveries_claim on deliveries (endpoint_id, priority, due_at) where priority >= 0;
