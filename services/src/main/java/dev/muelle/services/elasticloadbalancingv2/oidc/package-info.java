/**
 * Gates of listeners that let in whom an identity provider vouches for, by OpenID Connect's
 * authorization code flow: {@code OidcGate} before an action, {@code OidcReturn} where users come
 * back, {@code IdentityProvider} behind both. Knows the load balancer's gates, and nothing of rules
 * and listeners.
 */
@NullMarked
package dev.muelle.services.elasticloadbalancingv2.oidc;

import org.jspecify.annotations.NullMarked;
