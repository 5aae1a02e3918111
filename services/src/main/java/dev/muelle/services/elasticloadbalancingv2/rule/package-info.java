/** Rules of listeners: conditions, actions, transforms. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.rule;

import org.jspecify.annotations.NullMarked;
