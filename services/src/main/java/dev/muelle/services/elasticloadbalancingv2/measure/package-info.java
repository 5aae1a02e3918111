/** Metrics, read from the data plane and told to CloudWatch. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.measure;

import org.jspecify.annotations.NullMarked;
