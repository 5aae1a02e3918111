/** What groups did, for their owners and for the event bus. */
@NullMarked
package dev.muelle.services.autoscaling.activity;

import org.jspecify.annotations.NullMarked;
