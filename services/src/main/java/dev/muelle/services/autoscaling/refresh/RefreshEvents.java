package dev.muelle.services.autoscaling.refresh;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;

/**
 * Tells the event bus what becomes of refreshes.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html">Event
 *     reference</a>
 */
public record RefreshEvents(EventOutbox events) {

  /**
   * In the transaction that makes it true.
   *
   * @param what {@code Started}, {@code Succeeded}, {@code Failed}, {@code Cancelled}, or the same
   *     of a rollback
   */
  public void tell(Tx tx, GroupRecord group, RefreshRecord refresh, String what, Instant now) {
    events.put(
        tx,
        "aws.autoscaling",
        "EC2 Auto Scaling Instance Refresh " + what,
        List.of(group.group().autoScalingGroupARN()),
        now,
        () ->
            JsonNodeFactory.instance
                .objectNode()
                .put("InstanceRefreshId", refresh.refresh().instanceRefreshId())
                .put("AutoScalingGroupName", group.name())
                .toString());
  }
}
