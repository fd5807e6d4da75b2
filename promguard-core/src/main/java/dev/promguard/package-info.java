/** What a user imports: the spec, its verbs, plans, reports and events. */
@NullMarked
package dev.promguard;

import org.jspecify.annotations.NullMarked;
