/** What requests may say: protocols, attributes, pages, patterns, and the refusals. */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.request;

import org.jspecify.annotations.NullMarked;
