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
    {
        for family in 4 6; do
            [ "$family" = 4 ] && six='' || six=6
            tables=ip${six}tables
            printf '%s\tkind\tnft-ip%s\n' "$N" "$family"
            if [ "$default" = nft ]; then
                "$tables-save"
            elif command -v "$tables-nft-save" >/dev/null; then
                "$tables-nft-save"
            fi
            if [ -s "/proc/net/ip${six}_tables_names" ] && command -v "$tables-legacy-save" >/dev/null; then
                printf '%s\tkind\tlegacy-ip%s\n' "$N" "$family"
                "$tables-legacy-save"
            fi
            printf '%s\tread\tufw%s\t/etc/ufw/%s%s.rules\n' "$N" "$family" before "$six" "$N" "$family" user "$six"
        done
        if command -v nft >/dev/null; then
            printf '%s\tkind\tnft\n' "$N"
            nft -a -s -t list ruleset
        fi
        printf '%s\tkind\toutside\n' "$N"
        for family in -4 -6; do
            ip -o "$family" route show default
        done
        printf '%s\tread\tsetting\t/etc/default/ufw\n' "$N"
    } 2>/dev/null | tell_rules
}

# tell_rules: what is on standard input, without counters: behind a line NONCE kind KIND the rules of a kind, of which at most so many are
# told, and for NONCE read KIND FILE those in a file. Rules in the form of iptables-save for what the host passes on are not told.
tell_rules() {
    awk -v nonce="$N" -v begin="$N${TAB}fact${TAB}ruleset${TAB}" '
        function tell(text) {
            if (kind == "outside") {
                if (sub(/^.* dev /, "", text)) {
                    sub(/ .*/, "", text)
                    if (!seen[text]++) print begin "outside\t" text
                }
                return
            }
            if (kind == "setting") {
                if (text ~ /^(IPV6|DEFAULT_OUTPUT_POLICY|MANAGE_BUILTINS)=["\047]?[A-Za-z]*["\047]? *$/) {
                    gsub(/["\047 ]/, "", text)
                    sub(/=/, "\t", text)
                    print begin "setting\t" text
                }
                return
            }
            if (kind == "nft" ? text ~ /^ *(#|$)/ : text ~ /^(#|COMMIT|$|:[^ ]*(FORWARD|-forward) |-A (FORWARD|[^ ]*-forward|POSTROUTING) )/) return
            if (++count[of] > 8000) {
                if (count[of] == 8001) print begin "cut"
                return
            }
            sub(/^[ \t]+/, "", text)
            sub(/ \[[0-9]+:[0-9]+\]$/, "", text)
            gsub(/[^ -~]/, "?", text)
            if (text != "") print begin kind "\t" substr(text, 1, 1000)
        }
        $1 == nonce && $2 == "kind" {
            kind = of = $3
            next
        }
        $1 == nonce && $2 == "read" {
            kind = $3
            of = $4
            while ((getline line < $4) > 0) tell(line)
            close($4)
            next
        }
        { tell($0) }' >&3
}
