# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The SSH login keys that root admits. PromGuard knows its own lines by their comment; all others stay as they are, byte for byte.
AUTHORIZED_KEYS=/root/.ssh/authorized_keys
LOGIN_KEY=promguard-login-key
MESH_KEY=promguard-mesh-key

# facts_authorized_keys: key login|other TYPE BLOB for each key without options; login for an additional one that PromGuard wrote.
facts_authorized_keys() {
    [ -f "$AUTHORIZED_KEYS" ] || return 0
    awk -v begin="$N${TAB}fact${TAB}authorized-keys${TAB}key$TAB" -v login="$LOGIN_KEY" '
        { sub(/\r$/, "") }
        $1 ~ /^[a-z0-9@.-]+$/ && length($1) <= 64 && $2 ~ /^[A-Za-z0-9+\/]+=?=?$/ && length($2) >= 16 && length($2) <= 16386 && told++ < 1000 {
            print begin (NF == 3 && $3 == login ? "login" : "other") "\t" $1 "\t" $2
        }' "$AUTHORIZED_KEYS" >&3
}

# keys_with COMMENT: replaces the lines with that comment by those that come in base64 on standard input.
keys_with() {
    (umask 077 && mkdir -p "${AUTHORIZED_KEYS%/*}" && : >>"$AUTHORIZED_KEYS") || {
        WHY="$AUTHORIZED_KEYS cannot be written"
        return 1
    }
    edit_file "$AUTHORIZED_KEYS" keys_instead "$1"
}

# keys_instead COMMENT FILE
keys_instead() {
    ends=$(line_end <"$2")
    awk -v comment="$1" '
        {
            line = $0
            sub(/\r$/, "")
        }
        !(NF == 3 && $3 == comment) { print line }' "$2" || return
    keys=$(base64 -d) || return
    [ -z "$keys" ] || printf '%s\n' "$keys" | sed "s/\$/$ends/"
}

# apply_login_keys: makes the additional login keys those that come on standard input, which may be none.
apply_login_keys() {
    keys_with "$LOGIN_KEY"
}

# apply_mesh_key: admits the mesh's own login key, in the place of an earlier one that was put there in this way.
apply_mesh_key() {
    keys_with "$MESH_KEY"
}
