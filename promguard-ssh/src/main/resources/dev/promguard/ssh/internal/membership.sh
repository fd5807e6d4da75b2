# shellcheck shell=sh disable=SC2034,SC2153,SC2154
# What the host says of the mesh that it is in. Read-only.

# facts_membership: mesh NAME for the manifest and for each configuration of PromGuard's; interface NAME; address ADDRESS; and peer NAME
# PUBLICKEY ADDRESS for each peer, of the interface that PromGuard has here. A host that is in no mesh says nothing.
facts_membership() {
    if [ -r "$MANIFEST/mesh" ]; then
        read -r mesh <"$MANIFEST/mesh"
        say fact membership mesh "$mesh"
    fi
    for config in /etc/wireguard/*.conf; do
        if is_own_config "$config"; then
            mesh=${line#'# Kept by PromGuard for mesh '}
            say fact membership mesh "${mesh%%:*}"
        fi
    done
    own=$(own_interface)
    [ -n "$own" ] || return 0
    say fact membership interface "$own"
    is_own_config "/etc/wireguard/$own.conf" || return 0
    awk -v begin="$N${TAB}fact${TAB}membership$TAB" '
        function bare(address) {
            sub(/\/[0-9]+$/, "", address)
            return address
        }
        $1 == "[Peer]" {
            peers = 1
            name = key = ""
            next
        }
        peers && $1 == "#" && NF == 2 && name == "" { name = $2 }
        !peers && $1 == "Address" { print begin "address\t" bare($3) }
        peers && $1 == "PublicKey" { key = $3 }
        peers && $1 == "AllowedIPs" && name != "" && key != "" { print begin "peer\t" name "\t" key "\t" bare($3) }
    ' "/etc/wireguard/$own.conf" >&3
}
