/** Trust stores, and the clients that show certificates. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.trust;

import org.jspecify.annotations.NullMarked;
