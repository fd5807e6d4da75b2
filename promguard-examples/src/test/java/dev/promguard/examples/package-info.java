/** End-to-end tests: whole meshes on the local cloud. */
@NullMarked
package dev.promguard.examples;

import org.jspecify.annotations.NullMarked;
