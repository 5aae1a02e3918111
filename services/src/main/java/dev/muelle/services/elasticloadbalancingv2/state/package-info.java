/** What is stored, and what every other room asks of it. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.state;

import org.jspecify.annotations.NullMarked;
