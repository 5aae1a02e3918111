/** What is stored becomes what the data plane does. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.plane;

import org.jspecify.annotations.NullMarked;
