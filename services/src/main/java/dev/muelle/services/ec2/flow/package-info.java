/** Flow logs: what interfaces sent and were sent, told to CloudWatch Logs. */
@NullMarked
package dev.muelle.services.ec2.flow;

import org.jspecify.annotations.NullMarked;
