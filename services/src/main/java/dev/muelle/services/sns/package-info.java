/**
 * Amazon SNS: topics and their subscriptions, over HTTP(S) and as mail. What was published is put
 * down for each subscription in the transaction that acknowledges it ({@link
 * dev.muelle.services.sns.Published}), and is delivered from there ({@link
 * dev.muelle.services.sns.Deliveries}) until an endpoint takes it or its delivery policy gives up:
 * at least once, whenever the server dies.
 */
@NullMarked
package dev.muelle.services.sns;

import org.jspecify.annotations.NullMarked;
