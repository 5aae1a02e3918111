package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.refresh.RefreshRecord;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * The alarms that end an instance refresh.
 *
 * @see <a href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-rollback.html">Undo
 *     changes</a>
 */
public final class RefreshAlarms {

  private static final int MOST = 10;

  private final Store store;
  private final CloudWatchClient cloudWatch;

  public RefreshAlarms(Store store, CloudWatchClient cloudWatch) {
    this.store = store;
    this.cloudWatch = cloudWatch;
  }

  private Map<String, StateValue> states(List<String> names) {
    Map<String, StateValue> states = new TreeMap<>();
    if (!names.isEmpty()) {
      var found =
          cloudWatch.describeAlarms(r ->
              r.alarmNames(names).alarmTypes(AlarmType.METRIC_ALARM, AlarmType.COMPOSITE_ALARM));
      found.metricAlarms().forEach(one -> states.put(one.alarmName(), one.stateValue()));
      found.compositeAlarms().forEach(one -> states.put(one.alarmName(), one.stateValue()));
    }
    return states;
  }

  /** Those that ring now of the ones that a group's refresh watches. */
  List<String> ringing(String group) {
    List<String> names =
        store
            .read(tx -> RefreshRecord.active(tx, group))
            .map(RefreshRecord::alarms)
            .orElse(List.of());
    List<String> ringing = new ArrayList<>();
    states(names)
        .forEach((name, state) -> {
          if (state == StateValue.ALARM) {
            ringing.add(name);
          }
        });
    return ringing;
  }

  /** Refuses what a refresh cannot begin with: alarms that there are not, or that ring already. */
  public void check(List<String> names) {
    if (names.size() > MOST) {
      throw Refuse.invalid("An alarm specification has at most " + MOST + " alarms.");
    }
    Map<String, StateValue> states = states(names);
    for (String name : names) {
      if (!states.containsKey(name)) {
        throw Refuse.invalid("The CloudWatch alarm " + name + " does not exist.");
      }
      if (states.get(name) == StateValue.ALARM) {
        throw Refuse.invalid(
            "The instance refresh cannot start, as the CloudWatch alarm " + name + " is in ALARM.");
      }
    }
  }
}
