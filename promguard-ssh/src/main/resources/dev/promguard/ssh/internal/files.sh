# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Files that are not secret.

facts_files() {
    stat -c "$N${TAB}file${TAB}%a${TAB}%U:%G${TAB}%F${TAB}%n" -- "$@" 2>/dev/null >&3
    for file do
        shift
        if [ -f "$file" ]; then
            set -- "$@" "$file"
        fi
    done
    sums=
    if [ $# -gt 0 ]; then
        sums=$(sha256sum -- "$@")
        printf '%s\n' "$sums" | sed "s/^/$N${TAB}sum${TAB}/" >&3
    fi
}

# facts_contents SUM FILE...: sends what is in each file whose sum is another, if it is a plain file and not long. Comes after files.
facts_contents() {
    while [ $# -gt 1 ]; do
        case $LF$sums$LF in
            *"$LF$1  $2$LF"*) ;;
            *)
                if [ -f "$2" ] && [ ! -L "$2" ] && [ "$(stat -c %s -- "$2")" -le 65536 ]; then
                    head -c 65536 -- "$2" | base64 -w 4096 | sed "s|^|$N${TAB}content${TAB}$2${TAB}|" >&3
                fi
                ;;
        esac
        shift 2
    done
}

# apply_file PATH MODE OWNER CHECK...: the content comes in base64 on standard input.
apply_file() {
    path=$1
    mode=$2
    owner=$3
    shift 3
    if [ -d "$path" ] && [ ! -L "$path" ]; then
        WHY="$path is a folder"
        return 1
    fi
    note_path "$path" && note_written "$path" || return 1
    [ -d "${path%/*}" ] || mkdir -p "${path%/*}" || return 1
    suffix=
    if [ $# -gt 0 ]; then
        case ${path##*/} in
            ?*.*) suffix=.${path##*.} ;;
        esac
    fi
    TMP=$(mktemp --suffix="$suffix" "${path%/*}/.promguard.XXXXXX") || return 1
    base64 -d >"$TMP" && chown "$owner:$owner" "$TMP" && chmod "$mode" "$TMP" || return 1
    if [ $# -gt 0 ]; then
        "$@" "$TMP" </dev/null || {
            check=$?
            WHY='the check of the new content failed'
            return "$check"
        }
    fi
    put_in_place "$TMP" "$path" || return 1
    TMP=
    case $path in
        /etc/systemd/system/*) RELOAD=yes ;;
    esac
}

# undo_file PATH: a file, or the folder of a release; and the folder that PromGuard made for it, if nothing else is in it.
undo_file() {
    rm -rf -- "$1" && forget_written "$1" || return
    case $1 in
        /etc/promguard/*) rmdir --ignore-fail-on-non-empty "${1%/*}" ;;
    esac
}
