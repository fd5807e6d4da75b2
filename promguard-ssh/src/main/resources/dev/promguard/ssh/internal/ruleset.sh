# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# The packet filters as a whole, whoever loaded them: iptables of either variant, nftables, and what ufw has written down.

# facts_ruleset: reads all of them and changes nothing. The older iptables is asked only where the kernel has tables of it, for to ask it
# would make some.
facts_ruleset() {
    default=nft
    case $(iptables -V 2>/dev/null) in
        *legacy*)
            default=legacy
            say fact ruleset legacy
            ;;
    esac
    for family in 4 6; do
        tables=iptables
        names=/proc/net/ip_tables_names
        if [ "$family" = 6 ]; then
            tables=ip6tables
            names=/proc/net/ip6_tables_names
        fi
        if [ "$default" = nft ]; then
            "$tables-save" 2>/dev/null | tell_iptables "nft-ip$family"
        elif command -v "$tables-nft-save" >/dev/null 2>&1; then
            "$tables-nft-save" 2>/dev/null | tell_iptables "nft-ip$family"
        fi
        if [ -s "$names" ] && command -v "$tables-legacy-save" >/dev/null 2>&1; then
            "$tables-legacy-save" 2>/dev/null | tell_iptables "legacy-ip$family"
        fi
        [ "$family" = 4 ] && six='' || six=6
        for file in "/etc/ufw/before$six.rules" "/etc/ufw/user$six.rules"; do
            [ ! -r "$file" ] || tell_iptables "ufw$family" <"$file"
        done
    done
    if command -v nft >/dev/null 2>&1; then
        nft -a -s -t list ruleset 2>/dev/null | tell_rules nft '^ *(#|$)'
    fi
    for family in -4 -6; do
        ip -o "$family" route show default 2>/dev/null
    done | sed -n "s/.* dev \([^ ]*\).*/$N${TAB}fact${TAB}ruleset${TAB}outside${TAB}\1/p" | sort -u >&3
    if [ -r /etc/default/ufw ]; then
        sed -n "s/^\(IPV6\|DEFAULT_OUTPUT_POLICY\)=[\"']\{0,1\}\([A-Za-z]*\)[\"']\{0,1\} *\$/$N${TAB}fact${TAB}ruleset${TAB}setting${TAB}\1${TAB}\2/p" \
            /etc/default/ufw >&3
    fi
}

# tell_iptables KIND: what is on standard input in the form of iptables-save, without what the host only passes on to others.
tell_iptables() {
    tell_rules "$1" '^(#|COMMIT|$|:[^ ]*(FORWARD|-forward) |-A (FORWARD|[^ ]*-forward|POSTROUTING) )'
}

# tell_rules KIND WITHOUT: each line on standard input that does not match, without counters; at most so many.
tell_rules() {
    awk -v begin="$N${TAB}fact${TAB}ruleset${TAB}" -v kind="$1" -v without="$2" '
        $0 ~ without { next }
        ++count > 8000 { print begin "cut"; exit }
        {
            sub(/^[ \t]+/, "")
            sub(/ \[[0-9]+:[0-9]+\]$/, "")
            gsub(/[^ -~]/, "?")
            if ($0 != "") print begin kind "\t" substr($0, 1, 1000)
        }' >&3
}
