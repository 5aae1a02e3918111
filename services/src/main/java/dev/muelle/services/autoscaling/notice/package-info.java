/** What groups tell their owners through topics of SNS. */
@NullMarked
package dev.muelle.services.autoscaling.notice;

import org.jspecify.annotations.NullMarked;
