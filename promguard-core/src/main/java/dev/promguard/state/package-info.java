/** Where the state of a mesh is kept. */
@NullMarked
package dev.promguard.state;

import org.jspecify.annotations.NullMarked;
