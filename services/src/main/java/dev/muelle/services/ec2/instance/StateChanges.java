package dev.muelle.services.ec2.instance;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.List;

/**
 * Tells EventBridge what becomes of instances.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html">Monitor
 *     for Amazon EC2 instance state-change events</a>
 */
public final class StateChanges {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Scope scope;
  private final InstantSource clock;
  private final EventOutbox events;

  public StateChanges(Scope scope, InstantSource clock, EventOutbox events) {
    this.scope = scope;
    this.clock = clock;
    this.events = events;
  }

  /** An instance is in the state that its record says, from this transaction on. */
  void note(Tx tx, InstanceRecord record) {
    events.put(
        tx,
        "aws.ec2",
        "EC2 Instance State-change Notification",
        List.of(scope.arn("ec2", "instance/" + record.id())),
        clock.instant(),
        () -> {
          ObjectNode detail = JSON.createObjectNode();
          detail.put("instance-id", record.id());
          detail.put("state", record.instance().state().nameAsString());
          return detail.toString();
        });
  }
}
