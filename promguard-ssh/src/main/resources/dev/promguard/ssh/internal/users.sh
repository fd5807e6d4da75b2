# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# System users.

facts_users() {
    getent passwd "$@" | while IFS=: read -r name _; do
        say user "$name"
    done
}

apply_user() {
    getent group "$1" >/dev/null || { note group "$1" && groupadd --system -- "$1"; } || return
    getent passwd "$1" >/dev/null || {
        note user "$1" &&
            useradd --system --gid "$1" --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin -- "$1"
    }
}
