/** Tests of the rendering. */
@NullMarked
package dev.promguard.render;

import org.jspecify.annotations.NullMarked;
