# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# ufw: its rules, and what the kernel has loaded of them.
UFW=/etc/ufw

facts_firewall() {
    command -v ufw >/dev/null 2>&1 || return 0
    enabled=
    policy=
    ipv6=
    for file in /etc/ufw/ufw.conf /etc/default/ufw; do
        [ -r "$file" ] || continue
        while IFS='=' read -r key value || [ -n "$key" ]; do
            value=${value#[\"\']}
            value=${value%[\"\']}
            case $key in
                ENABLED) enabled=$value ;;
                DEFAULT_INPUT_POLICY) policy=$value ;;
                IPV6) ipv6=$value ;;
            esac
        done <"$file"
    done
    say ufw "$enabled" "$policy" "$ipv6"
    facts_rules 4 ufw iptables /etc/ufw/user.rules
    facts_rules 6 ufw6 ip6tables /etc/ufw/user6.rules
}

# facts_ufw_settings: carriage-return FILE for each of its files with one, which ufw's own start does not read; whether its unit is masked;
# login-from ADDRESS while ufw is off; whether ufw drops all IPv6, and if it does, whether this login comes over it.
facts_ufw_settings() {
    grep -lsE "^[^#]*$CR\$" /etc/default/ufw /etc/ufw/ufw.conf /etc/ufw/before.rules /etc/ufw/before6.rules /etc/ufw/user.rules \
        /etc/ufw/user6.rules /etc/ufw/after.rules /etc/ufw/after6.rules | while read -r file; do
        say fact ufw-settings carriage-return "$file"
    done
    for file in /etc/systemd/system/ufw.service /run/systemd/system/ufw.service; do
        if [ -e "$file" ] && [ ! -s "$file" ]; then
            say fact ufw-settings masked
            break
        fi
    done
    connection=${SSH_CONNECTION:-}
    # sudo does not pass it on, but has it.
    if [ -z "$connection" ] && [ -r "/proc/$PPID/environ" ]; then
        connection=$(tr '\0' '\n' <"/proc/$PPID/environ" | sed -n 's/^SSH_CONNECTION=//p')
    fi
    connection=${connection%% *}
    case $connection in *:*.*.*.*) connection=${connection##*:} ;; esac
    if [ -n "$connection" ] && ! grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then
        say fact ufw-settings login-from "${connection%%\%*}"
    fi
    ufw_without_ipv6 || return 0
    say fact ufw-settings drops-ipv-six
    case $connection in
        *:*) say fact ufw-settings login-over-ipv-six ;;
    esac
}

# xtables_free: waits until nobody holds the lock of iptables, for ufw does not.
xtables_free() {
    [ ! -e /run/xtables.lock ] || flock -w 60 /run/xtables.lock true || {
        WHY='another program holds the lock of iptables'
        return 1
    }
}

# facts_rules 4|6 CHAIN IPTABLES FILE: what is written in ufw's file, and what is loaded of it and beside it.
facts_rules() {
    file=$4
    [ -r "$file" ] || file=/dev/null
    "$3" -S 2>/dev/null | awk -v begin="$N$TAB" -v family="$1" -v chain="$2" -v file="$file" '
        function tell(kind, text) { print begin kind family "\t" text }
        function after(prefix) { return index($0, prefix) == 1 ? substr($0, length(prefix) + 1) : "" }
        BEGIN {
            while ((getline < file) > 0) {
                if ((rest = after("### tuple ### ")) != "") tell("tuple", rest)
                else if ((rest = after("-A " chain "-user-input ")) != "") tell("written", rest)
            }
        }
        /^-A / && !/^-A (FORWARD|OUTPUT|ufw6?-[a-z-]*-(forward|output)) / && $0 ~ " -j (ACCEPT|" chain "-user-limit-accept)$" {
            tell("accept", after("-A "))
        }
        $0 == "-A " chain "-before-input -j " chain "-user-input" { tell("hook", "user") }
        $0 == "-A INPUT -j " chain "-before-input" { tell("hook", "before") }
        index($0, "-A INPUT -j " chain "-") == 1 { next }
        (rest = after("-P INPUT ")) != "" { tell("policy", rest) }
        (rest = after("-A INPUT ")) != "" { tell("input", rest) }
        (rest = after("-A " chain "-user-input ")) != "" { tell("loaded", rest) }' >&3
}

# apply_rule [prepend] ALLOW_OR_DELETE WORD...: with prepend, before all other rules, also where it is there already.
apply_rule() {
    note_firewall || return 1
    if [ "$1" = prepend ]; then
        shift
        prepend_rule "$@"
        return
    fi
    if [ "$1" = allow ]; then
        note rule "$@" || return 1
    fi
    xtables_free || return
    ufw "$@" </dev/null || {
        WHY='ufw refused the rule'
        return 1
    }
}

# prepend_rule allow WORD... comment COMMENT: ufw leaves a rule that is there where it is, so that one goes first.
prepend_rule() {
    note rule "$@" || return 1
    count=$#
    while [ "$count" -gt 2 ]; do
        set -- "$@" "$1"
        shift
        count=$((count - 1))
    done
    comment=$2
    shift 2
    if ! { ufw delete "$@" && ufw prepend "$@" comment "$comment"; } </dev/null; then
        WHY='ufw refused the rule'
        return 1
    fi
}

apply_firewall() {
    note_firewall && xtables_free || return 1
    case $(cat /etc/default/ufw) in
        *'DEFAULT_INPUT_POLICY="DROP"'*) ;;
        *) ufw default deny incoming || return ;;
    esac
    if would_end_forwarding; then
        keep_forwarding || {
            WHY='ufw could not be told to go on forwarding'
            return 1
        }
    fi
    was=off
    if iptables -S ufw-user-input >/dev/null 2>&1; then
        was=on
    fi
    ufw --force enable || {
        WHY='ufw could not be enabled'
        return 1
    }
    case $(systemctl is-enabled ufw.service 2>/dev/null) in
        enabled) ;;
        *) unmask ufw.service && systemctl enable ufw.service || return ;;
    esac
    if [ "$was" = on ] || ! firewall_loaded iptables ufw; then
        reload_closed || return
    fi
    firewall_loaded iptables ufw || {
        WHY='ufw says that it is enabled, but its rules are not loaded'
        return 1
    }
    if input=$(ip6tables -S INPUT 2>/dev/null); then
        case $input in
            *'-P INPUT DROP'*) ;;
            *)
                WHY='IPv6 is not closed'
                return 1
                ;;
        esac
    fi
}

# passes_on 4|6: whether packets of others come by the chain FORWARD: the host routes between interfaces, or bridges and shows them to it.
passes_on() {
    case $1 in
        4) set -- iptables /proc/sys/net/ipv4/conf/*/forwarding ;;
        *) set -- ip6tables /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv6/conf/*/force_forwarding ;;
    esac
    bridged=/proc/sys/net/bridge/bridge-nf-call-$1
    shift
    grep -sxl 1 "$@" | grep -qv -e /conf/default/ -e /conf/lo/ && return
    grep -qsx 1 "$bridged" && [ -n "$(ip -o link show type bridge_slave 2>/dev/null)" ]
}

# forwards_for_others: whether the host passes on packets of containers, guests or clients, which ufw would drop, whatever the rules say.
# Sets for which of IPv4 and IPv6 it does, and whether it does for the other by rules alone, as Docker has it.
forwards_for_others() {
    FORWARDED=
    BY_RULES=no
    for family in 4 6; do
        passes_on "$family" || continue
        tables=iptables
        [ "$family" = 4 ] || tables=ip6tables
        case $("$tables" -S FORWARD 2>/dev/null) in
            *'-P FORWARD ACCEPT'* | '') FORWARDED="$FORWARDED $family" ;;
            *) BY_RULES=yes ;;
        esac
    done
    [ -n "$FORWARDED" ]
}

# would_end_forwarding: whether enabling ufw would end that the host forwards for others. Where its owner has enabled it, its settings tell what
# is forwarded, also while its rules are not loaded.
would_end_forwarding() {
    ! grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null && forwards_for_others && ! keeps_forwarding
}

# keeps_forwarding: whether keep_forwarding has been at work. ufw writes comments in hexadecimal.
keeps_forwarding() {
    [ "$(routes_of deny 'PromGuard no forwarding' /etc/ufw/user.rules | wc -l)" = 2 ] && {
        grep -q '^DEFAULT_FORWARD_POLICY="ACCEPT"' /etc/default/ufw 2>/dev/null ||
            [ -n "$(routes_of allow 'PromGuard forwarding' /etc/ufw/user.rules /etc/ufw/user6.rules)" ]
    }
}

# routes_of ALLOW_OR_DENY COMMENT FILE...: ufw's rules with a comment, which ufw writes in hexadecimal, for what is passed on.
routes_of() {
    route="^### tuple ### route:$1 .* comment=$(printf %s "$2" | od -An -v -tx1 | tr -d ' \n')\$"
    shift 2
    grep -h "$route" "$@" 2>/dev/null
}

# keep_forwarding: but nothing from or to the interface, for whom the host forwards is not of the mesh. ufw has one policy for IPv4 and IPv6,
# which would open the one that is forwarded by rules alone.
keep_forwarding() {
    interface=$(cat "$STATE/rollback/interface") && [ -n "$interface" ] || return
    for way in in out; do
        ufw route deny "$way" on "$interface" comment 'PromGuard no forwarding' </dev/null || return
    done
    if [ "$BY_RULES" = no ]; then
        edit_file /etc/default/ufw sed 's/^DEFAULT_FORWARD_POLICY=.*/DEFAULT_FORWARD_POLICY="ACCEPT"/'
        return
    fi
    for family in $FORWARDED; do
        any=0.0.0.0/0
        if [ "$family" = 6 ]; then
            ! ufw_without_ipv6 || continue
            any=::/0
        fi
        ufw route allow from "$any" to "$any" comment 'PromGuard forwarding' </dev/null || return
    done
}

# firewall_loaded IPTABLES PREFIX: whether ufw's chains are there, hooked in, and closed by default.
firewall_loaded() {
    state=$("$1" -S) || return 1
    case $state in *"-P INPUT DROP"*) ;; *) return 1 ;; esac
    case $state in *"-A INPUT -j $2-before-input"*) ;; *) return 1 ;; esac
    case $state in *"-A $2-before-input -j $2-user-input"*) ;; *) return 1 ;; esac
}

# without_ufw IPTABLES: takes away ufw's chains, which ufw itself leaves behind.
without_ufw() {
    "$1-save" -t filter | grep -v -e '^:ufw' -e '-[AI] ufw' -e '-j ufw' | "$1-restore" -w
}

# reload_closed: has ufw load all its rules anew. Nothing new is let in meanwhile, unlike with ufw's own reload. Where ufw cannot load them,
# for a line of its files that somebody wrote since, those are loaded again that were: without any, nobody would reach the host any more.
reload_closed() {
    LOADED=$(mktemp -d /run/promguard.XXXXXX) && save_loaded "$LOADED" || return
    load_ufw_closed
    reloaded=$?
    if [ "$reloaded" -ne 0 ]; then
        load_saved "$LOADED"
        WHY='ufw could not load its rules (/lib/ufw/ufw-init start says why), and those that were loaded before are again'
    fi
    rm -rf "$LOADED"
    return "$reloaded"
}

load_ufw_closed() {
    for tables in iptables ip6tables; do
        "$tables" -S INPUT >/dev/null 2>&1 || continue
        "$tables" -P INPUT DROP && without_ufw "$tables" || return
    done
    xtables_free && /lib/ufw/ufw-init start
}

# save_loaded FOLDER: the rules that ufw and others have loaded into the tables that ufw uses.
save_loaded() {
    for tables in iptables ip6tables; do
        ! "$tables" -S INPUT >/dev/null 2>&1 || "$tables-save" -t filter >"$1/$tables" || return
    done
}

# load_saved FOLDER: loads them again, and nothing else.
load_saved() {
    for tables in iptables ip6tables; do
        [ ! -s "$1/$tables" ] || "$tables-restore" -w <"$1/$tables"
    done
}

# note_firewall: how ufw was before its first change.
note_firewall() {
    if [ ! -d "$MANIFEST" ] || [ -d "$MANIFEST/ufw" ]; then
        return 0
    fi
    TMP=$(mktemp -d "$MANIFEST/.new.XXXXXX") || return
    for file in /etc/default/ufw /etc/ufw/ufw.conf /etc/ufw/user.rules /etc/ufw/user6.rules; do
        if [ -e "$file" ]; then
            cp -pL "$file" "$TMP/${file##*/}.$(basename "${file%/*}")" || return
        fi
    done
    for tables in iptables ip6tables; do
        "$tables" -S 2>/dev/null | grep '^-P ' >"$TMP/$tables"
        "$tables" -S 2>/dev/null | grep '^-A ' | grep -v -e '^-A ufw' -e ' -j ufw' >"$TMP/$tables.rules"
    done
    if grep -qix 'ENABLED=yes' /etc/ufw/ufw.conf; then
        : >"$TMP/enabled"
    fi
    systemctl is-enabled ufw.service >"$TMP/at-boot" 2>/dev/null
    put_in_place "$TMP" "$MANIFEST/ufw" && sync "$MANIFEST" || return
    TMP=
}

# rules_before 4|6 FILE [open]: ufw's file without the rules that PromGuard added, or with the rule that was there before each.
# With open, those stay that admit SSH and what the spec allowed.
rules_before() {
    awk -v family="$1" -v keep="$3" '
        function key(   i, k) {
            k = $5
            for (i = 6; i <= NF && $i !~ /^comment=/; i++) k = k " " $i
            return k
        }
        FILENAME == ARGV[1] {
            if ($1 != "rule" || (keep == "open" && $0 ~ / comment (OpenSSH|PromGuard allow)$/)) next
            any = family == 4 ? "0.0.0.0/0" : "::/0"
            way = "in"
            for (i = 3; i < NF && $i != "comment"; i++) {
                word = $(i + 1) == "any" ? any : $(i + 1)
                if ($i == "on") way = "in_" word
                else if ($i == "proto") proto = word
                else if ($i == "from") from = word
                else if ($i == "to") to = word
                else if ($i == "port") port = word
            }
            ours[proto " " port " " to " any " from " " way] = 1
            next
        }
        /^### tuple ### / { at = key() }
        FILENAME == ARGV[2] {
            if (at != "") before[at] = before[at] $0 "\n"
            if ($0 == "") at = ""
            next
        }
        /^### tuple ### / && (at in ours) {
            printf "%s", before[at]
            skip = 1
        }
        /^### tuple ### route:deny .* comment=50726f6d4775617264206e6f20666f7277617264696e67$/ { skip = 1 }
        /^### tuple ### route:allow .* comment=50726f6d477561726420666f7277617264696e67$/ { skip = 1 }
        !skip { print }
        $0 == "" { skip = 0 }
    ' "$MANIFEST/things" "$MANIFEST/ufw/$2.ufw" "$UFW/$2"
}

rule_tuples() {
    sed -n 's/^### tuple ### //p' "$1" | sort
}

# ufw_files [open]: works out in TMP what ufw's files are to be, and whether others have added rules since. Where IPV6=no, ufw itself has taken the
# owner's rules for IPv6 out of its file, and nobody else has.
ufw_files() {
    added=no
    for pair in 4:user.rules 6:user6.rules; do
        file=${pair#*:}
        if [ ! -e "$MANIFEST/ufw/$file.ufw" ] || [ ! -e "$UFW/$file" ]; then
            continue
        fi
        rules_before "${pair%%:*}" "$file" "$1" >"$TMP/$file" || return
        rule_tuples "$MANIFEST/ufw/$file.ufw" >"$TMP/then" && rule_tuples "$TMP/$file" >"$TMP/now" || return
        more=no
        if grep -qvxF -f "$TMP/then" "$TMP/now"; then
            more=yes
            added=yes
        fi
        if cmp -s "$TMP/then" "$TMP/now" || { [ "$file:$more" = user6.rules:no ] && ufw_without_ipv6; }; then
            cat "$MANIFEST/ufw/$file.ufw" >"$TMP/$file" || return
        fi
    done
}

# content_of FILE BEFORE: the whole of the first, whatever the other holds.
content_of() {
    cat "$1"
}

undo_firewall() {
    if [ ! -d "$MANIFEST/ufw" ] || ! command -v ufw >/dev/null 2>&1; then
        return 0
    fi
    TMP=$(mktemp -d "$STATE/.new.XXXXXX") || return
    ufw_files '' || return
    stays=no
    if [ -e "$MANIFEST/ufw/enabled" ]; then
        stays=yes
    elif [ "$added" = yes ]; then
        stays=yes
        ufw_files open || return
        say leftover 'ufw stays on and denies what no rule admits, with the rules that admit SSH and the allowed ports: rules were added that are not from PromGuard'
    else
        ufw --force disable || return
    fi
    for file in user.rules user6.rules; do
        if [ -e "$TMP/$file" ]; then
            edit_file "$UFW/$file" content_of "$TMP/$file" || return
        fi
    done
    if [ "$stays" = no ] || [ -e "$MANIFEST/ufw/enabled" ]; then
        for key in DEFAULT_INPUT_POLICY DEFAULT_FORWARD_POLICY; do
            policy=$(grep "^$key=" "$MANIFEST/ufw/ufw.default")
            [ -z "$policy" ] || edit_file /etc/default/ufw sed "s/^$key=.*/$policy/" || return
        done
    fi
    if [ "$stays" = yes ]; then
        reload_closed || return
        [ ! -e "$MANIFEST/ufw/enabled" ] || undo_firewall_at_boot || return
    else
        for tables in iptables ip6tables; do
            "$tables" -S INPUT >/dev/null 2>&1 || continue
            without_ufw "$tables" || return
            [ "$tables" = iptables ] || without_loopback_rules
            while read -r line; do
                if ! policy_holds "$tables" "$line"; then
                    say leftover "$tables $line, not put back: the rules are gone that admitted what it does not drop"
                    continue
                fi
                # shellcheck disable=SC2086
                "$tables" $line || return
            done <"$MANIFEST/ufw/$tables"
        done
        undo_firewall_at_boot || return
    fi
    rm -rf "$TMP"
    TMP=
}

# undo_firewall_at_boot: whether ufw comes up at boot as it did before, also where it was on and did not.
undo_firewall_at_boot() {
    case $(cat "$MANIFEST/ufw/at-boot") in
        disabled) systemctl disable ufw.service ;;
        masked) mask_again ufw.service ;;
    esac
}

# ufw_without_ipv6: whether ufw admits nothing over IPv6: where its setting is anything but yes.
ufw_without_ipv6() {
    case $(sed -n 's/^[[:space:]]*IPV6=["'\'']\{0,1\}\([A-Za-z]*\).*/\1/p' /etc/default/ufw 2>/dev/null | tail -n 1) in
        '' | [Yy][Ee][Ss]) return 1 ;;
    esac
}

# without_loopback_rules: where IPV6=no, ufw admits IPv6 on the loopback interface by two rules in no chain of its own, which it leaves behind.
without_loopback_rules() {
    ufw_without_ipv6 || return 0
    ip6tables -D INPUT -i lo -j ACCEPT 2>/dev/null
    ip6tables -D OUTPUT -o lo -j ACCEPT 2>/dev/null
    return 0
}

# policy_holds TABLES POLICY: whether a policy such as -P INPUT DROP can be put back. After a reboot the rules may be gone that were there
# with it, and with them the way to the host.
policy_holds() {
    case $2 in *' DROP') ;; *) return 0 ;; esac
    chain=${2#-P }
    chain=${chain% DROP}
    grep "^-A $chain " "$MANIFEST/ufw/$1.rules" 2>/dev/null >"$TMP/then"
    "$1" -S "$chain" | grep "^-A $chain " >"$TMP/now"
    if [ ! -s "$TMP/then" ]; then
        [ "$chain" != INPUT ]
        return
    fi
    ! grep -qvxF -f "$TMP/now" "$TMP/then"
}

# restore_firewall: the rollback. Nothing new is let in meanwhile.
restore_firewall() {
    if [ -e "$saved/ufw-enabled" ]; then
        restore_ufw
        reload_closed || load_saved "$saved"
    elif command -v ufw >/dev/null 2>&1; then
        ufw --force disable
        restore_ufw
    fi
}

# restore_ufw: its files, each where it is, which a link may say.
restore_ufw() {
    for copy in "$saved"/ufw/*; do
        [ -e "$copy" ] || continue
        file=/$(printf %s "${copy##*/}" | tr : /)
        put_back "$copy" "$(readlink -f -- "$file" || printf %s "$file")"
    done
}
