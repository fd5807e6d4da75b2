/** Every decision of a mesh that can be made before anything exists: names, addresses, roles, peers, firewall rules. */
@NullMarked
package dev.promguard.blueprint;

import org.jspecify.annotations.NullMarked;
