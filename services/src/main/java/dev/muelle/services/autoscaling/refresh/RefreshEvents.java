package dev.muelle.services.autoscaling.refresh;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import software.amazon.awssdk.services.autoscaling.model.RefreshPreferences;

/**
 * Tells the event bus what becomes of refreshes.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-eventbridge-events.html">Instance
 *     refresh example events and patterns</a>
 */
public record RefreshEvents(EventOutbox events) {

  /**
   * In the transaction that makes it true.
   *
   * @param what {@code Started}, {@code Started Baking}, {@code Succeeded}, {@code Failed}, {@code
   *     Cancelled}, or the same of a rollback
   */
  public void tell(Tx tx, GroupRecord group, RefreshRecord refresh, String what, Instant now) {
    put(tx, group, refresh, what, now, detail -> detail);
  }

  /** It has come to a checkpoint, at which it waits. */
  public void reached(Tx tx, GroupRecord group, RefreshRecord refresh, Instant now) {
    RefreshPreferences how = refresh.refresh().preferences();
    put(
        tx,
        group,
        refresh,
        "Checkpoint Reached",
        now,
        detail ->
            detail // both are texts
                .put("CheckpointPercentage", String.valueOf(refresh.checkpoint()))
                .put("CheckpointDelay", String.valueOf(how.checkpointDelay())));
  }

  private void put(
      Tx tx,
      GroupRecord group,
      RefreshRecord refresh,
      String what,
      Instant now,
      UnaryOperator<ObjectNode> more) {
    events.put(
        tx,
        "aws.autoscaling",
        "EC2 Auto Scaling Instance Refresh " + what,
        List.of(group.group().autoScalingGroupARN()),
        now,
        () ->
            more.apply(
                    JsonNodeFactory.instance
                        .objectNode()
                        .put("InstanceRefreshId", refresh.refresh().instanceRefreshId())
                        .put("AutoScalingGroupName", group.name()))
                .toString());
  }
}
