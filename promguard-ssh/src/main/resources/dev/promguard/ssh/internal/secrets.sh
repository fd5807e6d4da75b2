# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# Files with credentials, for one group of readers.

# apply_secret PATH MODE GROUP: the secret comes in base64 on standard input, and is written to the file alone. Its folder is
# for such files only.
apply_secret() {
    if [ -d "$1" ] && [ ! -L "$1" ]; then
        WHY="$1 is a folder"
        return 1
    fi
    note_path "$1" || return 1
    folder=${1%/*}
    if [ ! -d "$folder" ]; then
        mkdir -p "${folder%/*}" && private_folder "$folder" || return 1
    fi
    chown "root:$3" "$folder" && chmod 0750 "$folder" || return 1
    TMP=$(umask 077 && mktemp "${1%/*}/.promguard.XXXXXX") || return 1
    base64 -d >"$TMP" && chown "root:$3" "$TMP" && chmod "$2" "$TMP" || return 1
    put_in_place "$TMP" "$1" || return 1
    TMP=
}
