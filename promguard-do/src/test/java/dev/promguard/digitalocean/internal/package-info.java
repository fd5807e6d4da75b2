/** Tests of the HTTP exchanges by themselves, where the provider's verbs cannot show a rule in a short time. */
@NullMarked
package dev.promguard.digitalocean.internal;

import org.jspecify.annotations.NullMarked;
