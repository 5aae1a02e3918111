package dev.muelle.services.eventbridge;

import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.services.eventbridge.model.LimitExceededException;
import software.amazon.awssdk.services.eventbridge.model.ListTargetsByRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.ListTargetsByRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.PutTargetsRequest;
import software.amazon.awssdk.services.eventbridge.model.PutTargetsResponse;
import software.amazon.awssdk.services.eventbridge.model.RemoveTargetsRequest;
import software.amazon.awssdk.services.eventbridge.model.RemoveTargetsResponse;
import software.amazon.awssdk.services.eventbridge.model.RemoveTargetsResultEntry;
import software.amazon.awssdk.services.eventbridge.model.Target;

/** What rules send to. */
final class Targets {

  private static final int MAX_OF_RULE = 5;

  private final Store store;
  private final Rules rules;
  private final TargetRules targetRules;

  Targets(Store store, Rules rules, TargetRules targetRules) {
    this.store = store;
    this.rules = rules;
    this.targetRules = targetRules;
  }

  /**
   * Adds targets, or replaces those with the same ids: all of a request or none.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html">PutTargets</a>
   */
  PutTargetsResponse put(PutTargetsRequest request) {
    if (request.targets().isEmpty()) {
      throw Refuse.constraint("targets", "[]", "have length greater than or equal to 1");
    }
    Set<String> ids = new HashSet<>();
    for (Target target : request.targets()) {
      targetRules.check(target);
      if (!ids.add(target.id())) {
        throw Refuse.invalid("Target ids must be unique: " + target.id() + " comes twice.");
      }
    }
    store.write(tx -> {
      Rule rule = rules.of(tx, request.eventBusName(), request.rule());
      Set<String> all = new TreeSet<>(ids);
      Aim.of(tx, rule.key()).forEach(row -> all.add(row.value().target().id()));
      if (all.size() > MAX_OF_RULE) {
        throw LimitExceededException.builder()
            .message("The requested resource exceeds the maximum number allowed.")
            .build();
      }
      for (Target target : request.targets()) {
        tx.put(Aim.TABLE, Aim.key(rule.key(), target.id()), new Aim(rule.key(), target));
      }
      return true;
    });
    return PutTargetsResponse.builder().failedEntryCount(0).failedEntries(List.of()).build();
  }

  /** {@code Force} is for the rules of AWS's services: none of them makes any here. */
  RemoveTargetsResponse remove(RemoveTargetsRequest request) {
    if (request.ids().isEmpty()) {
      throw Refuse.constraint("ids", "[]", "have length greater than or equal to 1");
    }
    List<RemoveTargetsResultEntry> failed =
        store.write(tx -> {
          Rule rule = rules.of(tx, request.eventBusName(), request.rule());
          return request.ids().stream()
              .distinct()
              .filter(id -> {
                String key = Aim.key(rule.key(), id);
                tx.deletePrefix(Invocation.TABLE, Invocation.prefix(key));
                return !tx.delete(Aim.TABLE, key);
              })
              .map(id ->
                  RemoveTargetsResultEntry.builder()
                      .targetId(id)
                      .errorCode("ResourceNotFoundException")
                      .errorMessage(
                          "Rule " + rule.name() + " does not have a target with the Id " + id + ".")
                      .build())
              .toList();
        });
    return RemoveTargetsResponse.builder()
        .failedEntryCount(failed.size())
        .failedEntries(failed)
        .build();
  }

  ListTargetsByRuleResponse list(ListTargetsByRuleRequest request) {
    List<Target> all =
        store.read(tx ->
            Aim.of(tx, rules.of(tx, request.eventBusName(), request.rule()).key()).stream()
                .map(Row::value)
                .map(Aim::target)
                .toList());
    Page<Target> page = Page.of(all, request.limit(), request.nextToken());
    return ListTargetsByRuleResponse.builder().targets(page.items()).nextToken(page.next()).build();
  }
}
