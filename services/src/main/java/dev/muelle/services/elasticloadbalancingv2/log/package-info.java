/** Access, connection and health check logs, on their way to a bucket. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.log;

import org.jspecify.annotations.NullMarked;
