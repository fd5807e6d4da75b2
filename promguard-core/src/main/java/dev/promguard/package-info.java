/** What a user imports: the wish, its verbs, plans, reports and events. */
@NullMarked
package dev.promguard;

import org.jspecify.annotations.NullMarked;
