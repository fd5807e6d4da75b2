# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The mesh's names in /etc/hosts: a block between two marker lines. What lies outside it stays as it is, byte for byte. Somebody may have given
# all lines other ends (CR LF): the block is the same one with them, and a new one gets those that the owner's lines have.
HOSTS=/etc/hosts
HOSTS_BEGIN='# BEGIN PromGuard'
HOSTS_END='# END PromGuard'

# hosts_markers -n|-c FILE: the marker lines with their numbers, or how many they are.
hosts_markers() {
    grep -axE "$1" -e "$HOSTS_BEGIN$CR?" -e "$HOSTS_END$CR?" -- "$2"
}

# hosts_blocks p|d FILE: commands for sed that print each whole block, from a begin to the end that is the next marker line; or that delete
# these, and each marker line without its other half. That line goes alone: what belonged to it cannot be known, and if it stayed, it might
# enclose lines of others with one that comes later.
hosts_blocks() {
    hosts_markers -n "$2" | awk -F: -v command="$1" -v begin="$HOSTS_BEGIN" '
        function alone(line) {
            if (command == "d")
                print line "d"
        }
        { sub(/\r$/, "") }
        $2 == begin {
            if (first)
                alone(first)
            first = $1
            next
        }
        first {
            print first "," $1 command
            first = 0
            next
        }
        { alone($1) }
        END {
            if (first)
                alone(first)
        }'
}

# whole_blocks: all whole blocks, whatever the ends of their lines.
whole_blocks() {
    hosts_blocks p "$HOSTS" | sed -n -f - -- "$HOSTS" | sed "s/$CR\$//"
}

# facts_hosts_file SUM DOMAIN: blocks COUNT UNPAIRED; sum SHA-256 of all blocks; content BASE64 in parts, if the sum is another than
# expected; other ADDRESS NAME for names below the domain outside the blocks, unless that is empty. A file that is not there says nothing.
facts_hosts_file() {
    [ -f "$HOSTS" ] || return 0
    markers=$(hosts_markers -c "$HOSTS")
    count=$(hosts_blocks p "$HOSTS" | wc -l)
    say fact hosts-file blocks "$count" "$((markers - 2 * count))"
    if [ "$count" -gt 0 ]; then
        sum=$(whole_blocks | sha256sum)
        sum=${sum%% *}
        say fact hosts-file sum "$sum"
        if [ "$sum" != "$1" ]; then
            whole_blocks | head -c 65536 | base64 -w 4096 |
                sed "s|^|$N${TAB}fact${TAB}hosts-file${TAB}content${TAB}|" >&3
        fi
    fi
    [ -n "$2" ] || return 0
    hosts_blocks d "$HOSTS" | sed -f - -- "$HOSTS" | grep -aiF -e "$2" | sed "s/#.*//; s/$CR\$//" |
        awk -v begin="$N${TAB}fact${TAB}hosts-file${TAB}other${TAB}" -v domain="$2" '
            length($1) <= 45 && $1 ~ /^[0-9A-Fa-f.:]+$/ {
                for (i = 2; i <= NF; i++) {
                    name = tolower($i)
                    from = length(name) - length(domain) + 1
                    if (from > 1 && length(name) <= 200 && name ~ /^[a-z0-9.-]+$/ && substr(name, from) == domain && told++ < 50)
                        print begin $1 "\t" name
                }
            }' >&3
}

# apply_hosts_file: puts the block that comes in base64 on standard input before all else, and removes the blocks that were there.
apply_hosts_file() {
    edit_file "$HOSTS" hosts_with_block
}

# hosts_with_block FILE
hosts_with_block() {
    [ -e "$HOSTS" ] || note hosts-file new || return
    block=$(base64 -d) || return
    if [ -n "$block" ]; then
        ends=$(hosts_blocks d "$1" | sed -f - -- "$1" | line_end)
        printf '%s\n' "$block" | sed "s/\$/$ends/" || return
    fi
    hosts_blocks d "$1" | sed -f - -- "$1"
}

# undo_hosts_file: removes the blocks, and the file if that was made for them and nothing else is in it.
undo_hosts_file() {
    [ -f "$HOSTS" ] || return 0
    markers=$(hosts_markers -c "$HOSTS")
    count=$(hosts_blocks p "$HOSTS" | wc -l)
    if [ "$markers" -gt 0 ]; then
        apply_hosts_file </dev/null || return
    fi
    if [ ! -s "$HOSTS" ] && [ -n "$(manifest_entries hosts-file)" ]; then
        rm -f -- "$(readlink -f -- "$HOSTS")" || return
    elif [ "$markers" -gt "$((2 * count))" ]; then
        say leftover "lines in $HOSTS that may be of a block whose first or last line somebody removed"
    fi
}
