/** Tests of the key material. */
@NullMarked
package dev.promguard.keys;

import org.jspecify.annotations.NullMarked;
