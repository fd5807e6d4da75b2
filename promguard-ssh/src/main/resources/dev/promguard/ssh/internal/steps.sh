# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Runs one change after the other and reports each. Each may be run again without harm, sets WHY to say in words what went wrong, and prints
# the rest to standard error.

# step NUMBER FUNCTION ARGUMENT...: reports the begin and the end of a change, and ends the script where it fails.
step() {
    number=$1
    shift
    WHY=
    say begin "$number"
    printf '%s\n' "$N" >&2
    if [ -n "$ARMED" ] && [ ! -d "$STATE/rollback" ]; then
        say rolled-back
        say failed "$number" 1 'the time for a confirmation was over before the changes were done, and the host has rolled back'
        exit 1
    fi
    case $1 in
        # By their ends: a function named here in full would be part of every script.
        alone | expect_pending | *_packages | *_release) "$@" ;;
        *) note_pending && "$@" ;;
    esac
    code=$?
    if [ "$code" -ne 0 ]; then
        say failed "$number" "$code" "$WHY"
        exit 1
    fi
    say "done" "$number"
}

# alone: one run at a time on a host. What an earlier one could not take away, for it was killed, goes now.
alone() {
    lock || {
        WHY='another run is at work on this host'
        return 1
    }
    remove_temporary_files
}

# private_folder FOLDER: one that is nobody's but root's from its first moment, or from now on.
private_folder() {
    if [ -d "$1" ]; then
        chown root:root "$1" && chmod 0700 "$1"
    else
        (umask 077 && mkdir -p "$1")
    fi
}

# quietly COMMAND...: runs it to its end even if the caller has gone, and shows its last lines if it fails.
quietly() {
    TMP=$(mktemp /run/promguard.XXXXXX) || return 1
    "$@" >"$TMP" 2>&1
    quiet=$?
    locked=no
    said=
    waited_for=$(sed -n 's/^Waiting for .*It is held by process \([0-9]*\) (\([^)]*\)).*/process \1 (\2)/p' "$TMP" | sort -u)
    if [ "$quiet" -ne 0 ]; then
        tail -n 20 "$TMP" >&2
        said=$(tail -n 200 "$TMP")
        if grep -q -e '^E: Could not get lock' -e '^E: Unable to acquire the dpkg' -e 'was locked by another process' "$TMP"; then
            locked=yes
        fi
    fi
    rm -f "$TMP"
    TMP=
    return "$quiet"
}
