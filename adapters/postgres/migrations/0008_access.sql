-- Who may do what: users and their sessions, roles and limits of API keys, and what was done by whom.

-- NULL = made before there were roles: such a key runs its organization, and one of the deployment runs that.
ALTER TABLE api_key
    ADD COLUMN role         text CHECK (role IN ('viewer', 'operator', 'administrator', 'super-administrator')),
    ADD COLUMN scopes       text[] NOT NULL DEFAULT '{}',  -- none = all
    ADD COLUMN section      text,                          -- NULL = the whole organization
    ADD COLUMN created_by   text NOT NULL DEFAULT '',
    ADD COLUMN expires_at   timestamptz,
    ADD COLUMN last_used_at timestamptz,
    ADD FOREIGN KEY (organization, section) REFERENCES section (organization, id);

CREATE TABLE app_user (
    id            text PRIMARY KEY,
    organization  text NOT NULL REFERENCES organization,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    first_name    text NOT NULL DEFAULT '',
    last_name     text NOT NULL DEFAULT '',
    role          text NOT NULL CHECK (role IN ('viewer', 'operator', 'administrator', 'super-administrator')),
    password_hash text,                          -- argon2id with its parameters; NULL = nobody can sign in yet
    active        boolean NOT NULL DEFAULT true,
    version       int NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    signed_in_at  timestamptz
);
CREATE INDEX app_user_by_organization ON app_user (organization, email COLLATE "C");

CREATE TABLE invitation (
    id            text PRIMARY KEY,
    organization  text NOT NULL REFERENCES organization,
    email         text NOT NULL CHECK (email = lower(email)),
    role          text NOT NULL CHECK (role IN ('viewer', 'operator', 'administrator', 'super-administrator')),
    token_id      text NOT NULL UNIQUE,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    created_by    text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    closed_at     timestamptz                    -- accepted, revoked or replaced
);
CREATE UNIQUE INDEX one_open_invitation ON invitation (organization, email) WHERE closed_at IS NULL;

CREATE TABLE password_reset (
    token_id      text PRIMARY KEY,
    app_user      text NOT NULL REFERENCES app_user,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    expires_at    timestamptz NOT NULL           -- one that was used is deleted
);
CREATE INDEX password_reset_by_user ON password_reset (app_user);

-- One row a sign-in; its tokens are a family that ends as a whole.
CREATE TABLE user_session (
    id         text PRIMARY KEY,
    app_user   text NOT NULL REFERENCES app_user,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE INDEX user_session_by_user ON user_session (app_user);

CREATE TABLE session_token (
    id            text PRIMARY KEY,
    session       text NOT NULL REFERENCES user_session ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('access', 'refresh')),
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz                    -- of refresh tokens: a second use ends the session
);
CREATE INDEX session_token_by_session ON session_token (session);

CREATE TABLE audit_event (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,           -- whole milliseconds: when it happened, not when it was recorded
    organization text NOT NULL REFERENCES organization,
    subject      text NOT NULL,
    action       text NOT NULL,
    source       text NOT NULL CHECK (source IN ('api', 'grpc', 'cli', 'signal')),
    outcome      text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    target       text NOT NULL DEFAULT '',
    reason       text NOT NULL DEFAULT '',
    detail       jsonb NOT NULL DEFAULT '{}',
    claimed      boolean NOT NULL DEFAULT false,
    address      text NOT NULL DEFAULT '',
    key          text UNIQUE                     -- of what may be told twice
);
CREATE INDEX audit_event_by_organization ON audit_event (organization, at DESC, id DESC);
CREATE INDEX audit_event_by_target ON audit_event (organization, target, at DESC, id DESC);

CREATE FUNCTION audit_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_event is append-only';
END $$;
CREATE TRIGGER audit_event_is_append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_stays();
CREATE TRIGGER audit_event_is_not_truncated BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_stays();
