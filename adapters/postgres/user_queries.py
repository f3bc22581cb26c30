"""Every statement about people, their invitations, one-time tokens and sessions."""

USER = """id, organization, email, first_name, last_name, role, active, version,
    ms_of(created_at) AS created_ms, ms_of(updated_at) AS updated_ms, ms_of(signed_in_at) AS signed_in_ms"""
INVITATION = """id, organization, email, role, created_by, ms_of(created_at) AS created_ms,
    ms_of(expires_at) AS expires_ms"""

ADD_USER = f"""
INSERT INTO app_user (id, organization, email, first_name, last_name, role, active, password_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email) DO NOTHING RETURNING {USER}
"""  # noqa: S608 - constants of ours
FIND_USER = f"SELECT {USER} FROM app_user WHERE organization = $1 AND id = $2"  # noqa: S608 - constants of ours
FIND_BY_EMAIL = f"SELECT {USER}, password_hash FROM app_user WHERE email = $1"  # noqa: S608 - constants of ours
FIND_BY_ID = f"SELECT {USER}, password_hash FROM app_user WHERE id = $1"  # noqa: S608 - constants of ours
PAGE_USERS = f"""
SELECT {USER} FROM app_user WHERE organization = $1 AND email COLLATE "C" > $2::text COLLATE "C"
ORDER BY email COLLATE "C" LIMIT $3
"""  # noqa: S608 - constants of ours
HOLD_ORGANIZATION = "SELECT id FROM organization WHERE id = $1 FOR NO KEY UPDATE"
"""One change of an organization's people at a time: two administrators who demote each other would both succeed."""
IS_ADMINISTRATOR = "active AND password_hash IS NOT NULL AND role IN ('administrator', 'super-administrator')"
IS_LAST = f"""
SELECT (SELECT {IS_ADMINISTRATOR} FROM app_user WHERE id = $2)
    AND NOT EXISTS (SELECT FROM app_user WHERE organization = $1 AND id <> $2 AND {IS_ADMINISTRATOR})
"""  # noqa: S608 - constants of ours
CHANGE_USER = f"""
UPDATE app_user SET email = $3, first_name = $4, last_name = $5, role = $6, active = $7,
    version = version + 1, updated_at = clock_timestamp()
WHERE organization = $1 AND id = $2 RETURNING {USER}
"""  # noqa: S608 - constants of ours
SET_PASSWORD = """
UPDATE app_user SET password_hash = $2, updated_at = clock_timestamp()
WHERE id = $1 AND active AND password_hash = $3 RETURNING true
"""  # noqa: S105 - a statement, no password
STRENGTHEN = "UPDATE app_user SET password_hash = $2 WHERE id = $1 AND password_hash = $3"
DROP_RESETS = "DELETE FROM password_reset WHERE app_user = $1"
END_SESSIONS = "UPDATE user_session SET ended_at = clock_timestamp() WHERE app_user = $1 AND ended_at IS NULL"

INVITE = """
INSERT INTO invitation (id, organization, email, role, created_by, created_at, expires_at, token_id, secret_sha256)
VALUES ($1, $2, $3, $4, $5, instant_of($6), instant_of($7), $8, $9)
ON CONFLICT (organization, email) WHERE closed_at IS NULL DO UPDATE SET
    id = excluded.id, role = excluded.role, created_by = excluded.created_by, created_at = excluded.created_at,
    expires_at = excluded.expires_at, token_id = excluded.token_id, secret_sha256 = excluded.secret_sha256
"""
CLEAR_INVITATIONS = """
DELETE FROM invitation WHERE organization = $1 AND (closed_at IS NOT NULL OR expires_at < instant_of($2))
"""
IS_TAKEN = "SELECT EXISTS (SELECT FROM app_user WHERE email = $1)"
PAGE_INVITATIONS = f"""
SELECT {INVITATION} FROM invitation
WHERE organization = $1 AND closed_at IS NULL AND email COLLATE "C" > $2::text COLLATE "C"
ORDER BY email COLLATE "C" LIMIT $3
"""  # noqa: S608 - constants of ours
FIND_INVITATION = f"""
SELECT {INVITATION} FROM invitation WHERE organization = $1 AND id = $2 AND closed_at IS NULL
"""  # noqa: S608 - constants of ours
OPEN_INVITATION = f"""
SELECT {INVITATION} FROM invitation WHERE organization = $1 AND email = $2 AND closed_at IS NULL
"""  # noqa: S608 - constants of ours
REVOKE_INVITATION = """
UPDATE invitation SET closed_at = clock_timestamp() WHERE organization = $1 AND id = $2 AND closed_at IS NULL
RETURNING true
"""
INVITATION_OF_TOKEN = f"""
SELECT {INVITATION} FROM invitation
WHERE token_id = $1 AND secret_sha256 = $2 AND closed_at IS NULL AND expires_at > instant_of($3)
"""  # noqa: S608 - constants of ours
ACCEPT_INVITATION = """
UPDATE invitation SET closed_at = clock_timestamp()
WHERE id = $1 AND closed_at IS NULL AND expires_at > instant_of($2) RETURNING true
"""

HOLD_USER = "SELECT id FROM app_user WHERE id = $1 FOR NO KEY UPDATE"
"""Tokens of one user are given out one after the other."""
ADD_RESET = """
INSERT INTO password_reset (token_id, app_user, secret_sha256, expires_at) VALUES ($1, $2, $3, instant_of($4))
"""
HAS_RECENT_RESET = "SELECT EXISTS (SELECT FROM password_reset WHERE app_user = $1 AND expires_at > instant_of($2))"
CLEAR_RESETS = "DELETE FROM password_reset WHERE app_user = $1 AND expires_at < instant_of($2)"
USER_OF_RESET = f"""
SELECT {USER} FROM app_user u WHERE active AND EXISTS (
    SELECT FROM password_reset r
    WHERE r.app_user = u.id AND r.token_id = $1 AND r.secret_sha256 = $2 AND r.expires_at > instant_of($3))
"""  # noqa: S608 - constants of ours
HOLD_USER_OF_RESET = """
SELECT u.id FROM app_user u JOIN password_reset r ON r.app_user = u.id WHERE r.token_id = $1 FOR NO KEY UPDATE OF u
"""
USE_RESET = """
UPDATE app_user u SET password_hash = $4, updated_at = clock_timestamp() FROM password_reset r
WHERE r.app_user = u.id AND u.active AND r.token_id = $1 AND r.secret_sha256 = $2 AND r.expires_at > instant_of($3)
RETURNING u.id
"""

SIGN_IN = """
UPDATE app_user SET signed_in_at = instant_of($3) WHERE id = $1 AND active AND password_hash = $2 RETURNING true
"""
"""Holds the row, so that whoever sets another password comes before or ends what begins here."""
CLEAR_SESSIONS = """
DELETE FROM user_session s WHERE app_user = $1 AND (ended_at IS NOT NULL OR NOT EXISTS (
    SELECT FROM session_token t WHERE t.session = s.id AND t.expires_at > instant_of($2)))
"""
BEGIN_SESSION = "INSERT INTO user_session (id, app_user, created_at) VALUES ($1, $2, instant_of($3))"
ADD_TOKENS = """
INSERT INTO session_token (id, session, kind, secret_sha256, expires_at) VALUES
    ($2, $1, 'access', $3, instant_of($4)), ($5, $1, 'refresh', $6, instant_of($7))
"""
FIND_ACCESS = """
SELECT t.secret_sha256, t.session, u.organization, u.id AS user_id, u.role
FROM session_token t JOIN user_session s ON s.id = t.session JOIN app_user u ON u.id = s.app_user
WHERE t.id = $1 AND t.kind = 'access' AND t.expires_at > instant_of($2) AND s.ended_at IS NULL AND u.active
"""
HOLD_SESSION = """
SELECT s.id AS session, s.app_user AS user_id, u.organization
FROM session_token t JOIN user_session s ON s.id = t.session JOIN app_user u ON u.id = s.app_user
WHERE t.id = $1 AND t.kind = 'refresh' FOR NO KEY UPDATE OF s
"""
"""A statement of its own: whoever waited for the row would see the session's new state, but the token's old one."""
SHOWN_REFRESH = """
SELECT t.used_at IS NOT NULL FROM session_token t
JOIN user_session s ON s.id = t.session JOIN app_user u ON u.id = s.app_user
WHERE t.id = $1 AND t.secret_sha256 = $2 AND t.expires_at > instant_of($3) AND s.ended_at IS NULL AND u.active
"""
SPEND = "UPDATE session_token SET used_at = clock_timestamp() WHERE id = $1"
CLEAR_TOKENS = "DELETE FROM session_token WHERE session = $1 AND (kind = 'access' OR expires_at < instant_of($2))"
"""Used refresh tokens stay until they expire: they tell that somebody has a copy."""
ROLE_OF_SESSION = """
SELECT u.role FROM user_session s JOIN app_user u ON u.id = s.app_user
WHERE s.id = $1 AND s.ended_at IS NULL AND u.active AND EXISTS (
    SELECT FROM session_token t WHERE t.session = s.id AND t.used_at IS NULL AND t.expires_at > instant_of($2))
"""
END_SESSION = "UPDATE user_session SET ended_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL RETURNING true"
