/** What a host should be: files, packages, users, units, rules and the WireGuard interface, rendered from a blueprint. */
@NullMarked
package dev.promguard.render;

import org.jspecify.annotations.NullMarked;
