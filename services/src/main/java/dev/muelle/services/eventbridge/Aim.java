package dev.muelle.services.eventbridge;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
import software.amazon.awssdk.services.eventbridge.model.Target;

/**
 * A target of a rule.
 *
 * @param rule its key
 */
record Aim(String rule, Target target) {

  /** Under rule and id. */
  static final Table<Aim> TABLE =
      Table.of("events.targets", StoredJson.codec(Aim.class))
          .index("arn", aim -> aim.target().arn());

  static String key(String rule, String id) {
    return rule + "/" + id;
  }

  static List<Row<Aim>> of(Tx tx, String rule) {
    return tx.list(TABLE, rule + "/");
  }
}
