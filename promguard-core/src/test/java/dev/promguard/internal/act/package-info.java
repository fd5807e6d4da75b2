/** Tests of what a user imports. */
@NullMarked
package dev.promguard.internal.act;

import org.jspecify.annotations.NullMarked;
