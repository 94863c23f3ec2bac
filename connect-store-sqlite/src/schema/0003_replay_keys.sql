-- What makes it the same request again under another dedupe key; NULL where the dedupe key is enough.
ALTER TABLE events ADD COLUMN replay_key TEXT;
-- A replay keeps its original's key and is stored beside it, so it is not in here. Nothing in it changes while an event
-- is claimed and ended: only acceptance and sweeping touch it.
CREATE UNIQUE INDEX events_replay_key ON events (tenant, source, replay_key) WHERE replay_key IS NOT NULL AND copy = 0;
-- How the body is to be read where the source has a name of its own; NULL where it is the source.
ALTER TABLE events ADD COLUMN scheme TEXT;
