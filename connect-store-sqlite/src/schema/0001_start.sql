CREATE TABLE events (
    -- AUTOINCREMENT: a number that was forgotten never comes back as another event's.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    -- 0 for what was received, 1 and up for replays: they keep their key and are stored beside each other.
    copy INTEGER NOT NULL DEFAULT 0,
    schema_version INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    ordering_key TEXT,
    content_type TEXT,
    body BLOB NOT NULL,
    -- NULL if it is the body itself.
    payload BLOB,
    trace_parent TEXT,
    received_at_seconds INTEGER NOT NULL,
    target TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'leased', 'done', 'dead', 'skipped')),
    -- When its time comes, or came.
    run_at INTEGER NOT NULL,
    -- When a worker may have it. Pending: `run_at`. Leased: when the lease ends. NULL once it ended.
    due_at INTEGER,
    -- The token of the lease: the id of the attempt.
    lease INTEGER,
    replay_of INTEGER,
    UNIQUE (tenant, source, dedupe_key, copy),
    CHECK ((due_at IS NULL) = (state IN ('done', 'dead', 'skipped'))),
    CHECK ((lease IS NULL) = (state <> 'leased'))
);
-- Claims: from tenant to tenant, and the oldest first within each. `due_at` stands in it so that leased events are passed
-- over without a look at the table.
CREATE INDEX events_live ON events (tenant, run_at, id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX events_leased ON events (tenant, due_at) WHERE state = 'leased';
CREATE INDEX events_ended ON events (state, accepted_at) WHERE due_at IS NULL;

CREATE TABLE attempts (
    -- Also the lease's token, so AUTOINCREMENT: never the same twice, in no process.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    outcome TEXT NOT NULL DEFAULT '',
    class TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    UNIQUE (event, number)
);

CREATE TABLE effects (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    step TEXT NOT NULL,
    key TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    -- When it was last attempted.
    called_at INTEGER NOT NULL,
    completed_at INTEGER,
    -- NULL: only the intent is known.
    result BLOB,
    UNIQUE (tenant, step, key)
);

-- The events that know of an effect: it is forgotten with the last of them.
CREATE TABLE effect_events (
    event INTEGER NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    effect INTEGER NOT NULL REFERENCES effects (id) ON DELETE CASCADE,
    PRIMARY KEY (event, effect)
) WITHOUT ROWID;
CREATE INDEX effect_events_effect ON effect_events (effect);

CREATE TABLE dead_letters (
    event INTEGER PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    class TEXT NOT NULL,
    message TEXT NOT NULL,
    died_at INTEGER NOT NULL,
    replayed_as INTEGER
);
CREATE INDEX dead_letters_newest ON dead_letters (tenant, died_at, event);

CREATE TABLE mappings (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    source_service TEXT NOT NULL,
    source_id TEXT NOT NULL,
    target_service TEXT NOT NULL,
    target_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (tenant, source_service, source_id, target_service),
    UNIQUE (tenant, target_service, target_id, source_service)
);

-- A row outlives its event, so it is no foreign key.
CREATE TABLE log (
    tenant TEXT NOT NULL,
    event INTEGER NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    event_type TEXT NOT NULL,
    status TEXT NOT NULL,
    class TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- When the last attempt ended; before, `at`.
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, event)
) WITHOUT ROWID;
-- What may be swept. Rows of unfinished events are not in it, however many there are and however old.
CREATE INDEX log_ended ON log (at, event) WHERE status IN ('ok', 'skipped', 'dead');
