-- Whether a message's payload must match the newest schema of its event type.
alter table event_types add column validate_payloads boolean not null default false;
-- Every process that takes messages keeps a list of those.
create index event_types_validating on event_types (org_id, name) where validate_payloads;
