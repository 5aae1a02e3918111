/** Listeners, their certificates and policies. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.listener;

import org.jspecify.annotations.NullMarked;
