/**
 * Amazon EventBridge: buses, rules and their targets. Events come from the region's own services
 * ({@link dev.muelle.services.EventOutbox}), from schedules ({@link
 * dev.muelle.services.eventbridge.Schedules}) and from {@code PutEvents}; {@link
 * dev.muelle.services.eventbridge.Matching} puts down one invocation for each target of each rule
 * that matches, and {@link dev.muelle.services.eventbridge.Invocations} performs it: at least once,
 * whenever the server dies.
 */
@NullMarked
package dev.muelle.services.eventbridge;

import org.jspecify.annotations.NullMarked;
