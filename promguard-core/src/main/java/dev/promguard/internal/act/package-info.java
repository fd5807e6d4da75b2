/** Carries out a decision over an open observation: creates, configures, confirms, deletes and uninstalls. */
@NullMarked
package dev.promguard.internal.act;

import org.jspecify.annotations.NullMarked;
