/** Target groups, their targets and how these are. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.target;

import org.jspecify.annotations.NullMarked;
