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
        room=$(lack_of_room "$code" /opt /opt/promguard /etc "${STATE%/*}" /run 2>/dev/null)
        [ -z "$room" ] || WHY="$room${WHY:+: $WHY}"
        say failed "$number" "$code" "$WHY"
        exit 1
    fi
    say "done" "$number"
}

# lack_of_room CODE FOLDER...: says why nothing can be written to one of these, or why a program ended with this code that was writing. Is asked
# where something has failed. What df calls full may still have room for root, so there it is tried.
lack_of_room() {
    limit=$(ulimit -f)
    case $limit:$1 in
        unlimited:*) ;;
        *:153 | *:23)
            printf %s "a limit of $((limit / 2)) KiB on the size of files is in force on the host for this login (ulimit -f)"
            return
            ;;
    esac
    shift
    for folder do
        mounted=$(df -P -k -- "$folder" 2>/dev/null | awk 'NR == 2 { print $6 " (" $1 ")" }')
        case $(findmnt -n -o OPTIONS -T "$folder" 2>/dev/null) in
            ro | ro,*)
                printf %s "the host's file system $mounted is read-only"
                return
                ;;
        esac
        if { df -P -k -- "$folder" && df -P -i -- "$folder"; } 2>/dev/null |
            awk 'NR == 2 && $4 < 1024 || NR == 4 && $2 > 0 && $4 < 16 { full = 1 } END { exit !full }'; then
            sample=$folder/.promguard.room
            head -c 1048576 /dev/zero 2>/dev/null >"$sample"
            wrote=$?
            rm -f "$sample"
            [ "$wrote" -eq 0 ] || {
                printf %s "there is no room on the host's file system $mounted"
                return
            }
        fi
    done
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

# durable PATH...: has files, and all that is in folders, on disk before anything else is done. What is renamed into its place before that may
# be there with nothing in it after a power cut.
durable() {
    find "$@" ! -type l -exec sync -- {} +
}

# put_in_place FROM TO: gives a file or a link its name, or a folder a new one, once it is on disk. All that appears on a host does so here.
put_in_place() {
    if [ -f "$1" ] && [ ! -L "$1" ]; then
        sync "$1"
    else
        durable "$1"
    fi && mv -fT "$1" "$2"
}

# put_back COPY PATH: what was there before, whole at every moment.
put_back() {
    EDITED=${2%/*}/.promguard.${2##*/}
    [ -d "${2%/*}" ] || mkdir -p "${2%/*}" || return
    rm -rf "$EDITED" && cp -aT "$1" "$EDITED" && put_in_place "$EDITED" "$2" || return
    EDITED=
}

# without_lines FILE PATTERN: takes lines out of one of PromGuard's own records, which is whole at every moment.
without_lines() {
    (umask 077 && sed "\\|^$2\$|d" "$1" >"$1.new") && put_in_place "$1.new" "$1"
}

# edit_file PATH COMMAND...: replaces a file that is not PromGuard's by what a command makes of it, which is given a copy as its last
# argument. The file keeps its owner, its mode and, where it is a link, its place. It is whole at every moment.
edit_file() {
    what=$1
    file=$(readlink -f -- "$1") || {
        WHY="$what is a link that leads nowhere"
        return 1
    }
    if [ -e "$file" ] && [ ! -f "$file" ]; then
        WHY="$what is not a file"
        return 1
    fi
    shift
    rm -rf "${file%/*}"/.promguard.*
    EDITED=$(umask 077 && mktemp -d "${file%/*}/.promguard.XXXXXX") || return 1
    if [ -e "$file" ]; then
        cp -aT -- "$file" "$EDITED/before" && cp -aT -- "$file" "$EDITED/after" || return 1
    else
        : >"$EDITED/before" && : >"$EDITED/after" || return 1
    fi
    "$@" "$EDITED/before" >"$EDITED/after" || return 1
    if ! cmp -s "$file" "$EDITED/after"; then
        put_in_place "$EDITED/after" "$file" || {
            WHY="$what cannot be replaced"
            return 1
        }
        sync "${file%/*}" || return 1
    fi
    rm -rf "$EDITED"
    EDITED=
}

# line_end: what most lines of a text on standard input end in before the line feed: a carriage return, or nothing.
line_end() {
    awk '{ /\r$/ ? crlf++ : plain++ } END { if (crlf > plain) printf "\r" }'
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
