package dev.muelle.services.ec2.security;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.route.Routes;
import dev.muelle.services.ec2.state.Blocks;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.PrefixListVersion;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Codec;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AddPrefixListEntry;
import software.amazon.awssdk.services.ec2.model.CreateManagedPrefixListRequest;
import software.amazon.awssdk.services.ec2.model.CreateManagedPrefixListResponse;
import software.amazon.awssdk.services.ec2.model.DeleteManagedPrefixListRequest;
import software.amazon.awssdk.services.ec2.model.DeleteManagedPrefixListResponse;
import software.amazon.awssdk.services.ec2.model.DescribeManagedPrefixListsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeManagedPrefixListsResponse;
import software.amazon.awssdk.services.ec2.model.GetManagedPrefixListAssociationsRequest;
import software.amazon.awssdk.services.ec2.model.GetManagedPrefixListAssociationsResponse;
import software.amazon.awssdk.services.ec2.model.GetManagedPrefixListEntriesRequest;
import software.amazon.awssdk.services.ec2.model.GetManagedPrefixListEntriesResponse;
import software.amazon.awssdk.services.ec2.model.ManagedPrefixList;
import software.amazon.awssdk.services.ec2.model.ModifyManagedPrefixListRequest;
import software.amazon.awssdk.services.ec2.model.ModifyManagedPrefixListResponse;
import software.amazon.awssdk.services.ec2.model.PrefixListAssociation;
import software.amazon.awssdk.services.ec2.model.PrefixListEntry;
import software.amazon.awssdk.services.ec2.model.PrefixListState;
import software.amazon.awssdk.services.ec2.model.RemovePrefixListEntry;
import software.amazon.awssdk.services.ec2.model.RestoreManagedPrefixListVersionRequest;
import software.amazon.awssdk.services.ec2.model.RestoreManagedPrefixListVersionResponse;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Managed prefix lists: named sets of blocks that rules of security groups and routes refer to,
 * which mean the newest version; the older ones are kept to be looked at and restored.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/managed-prefix-lists.html">Managed
 *     prefix lists</a>
 */
public final class PrefixLists {

  /** A region's quota. */
  private static final int MOST = 100;

  private static final int MOST_ENTRIES = 1000;

  /** As many one request may add, or remove. */
  private static final int MOST_AT_ONCE = 100;

  private static final int MOST_VERSIONS = 1000;
  private static final String IPV4 = "IPv4";
  private static final String IPV6 = "IPv6";

  private static final Codec<CreateManagedPrefixListRequest> REQUEST =
      StoredJson.codec(CreateManagedPrefixListRequest.class);

  private static final Filters<ManagedPrefixList> FILTERS =
      new Filters<>(ManagedPrefixList::tags)
          .by("owner-id", ManagedPrefixList::ownerId)
          .by("prefix-list-id", ManagedPrefixList::prefixListId)
          .by("prefix-list-name", ManagedPrefixList::prefixListName);

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;

  public PrefixLists(Scope scope, Store store, Ids ids, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
  }

  public CreateManagedPrefixListResponse create(CreateManagedPrefixListRequest request) {
    String name = name(Refuse.required(request.prefixListName(), "PrefixListName"));
    int most = most(Refuse.required(request.maxEntries(), "MaxEntries"));
    String family = Refuse.required(request.addressFamily(), "AddressFamily");
    if (!family.equals(IPV4) && !family.equals(IPV6)) {
      throw Refuse.invalidValue(family, "AddressFamily", "Valid values are IPv4 and IPv6.");
    }
    List<Tag> tags = Tags.given("prefix-list", request.tagSpecifications());
    List<PrefixListEntry> entries = changed(family, List.of(), request.entries(), List.of());
    String asked =
        ClientToken.fingerprint(REQUEST, request.toBuilder().clientToken("").dryRun(null).build());
    String fresh = ids.ec2("pl");
    ManagedPrefixList made =
        store.write(tx -> {
          Optional<String> done = ClientToken.done(tx, request.clientToken(), asked);
          if (done.isPresent()) {
            return shown(tx, Kind.PREFIX_LIST.get(tx, done.get()));
          }
          if (tx.count(Tables.PREFIX_LISTS) >= MOST) {
            throw Refuse.because(
                "PrefixListLimitExceeded", "The maximum number of prefix lists has been reached.");
          }
          ManagedPrefixList list =
              ManagedPrefixList.builder()
                  .prefixListId(fresh)
                  .prefixListArn(scope.arn("ec2", "prefix-list/" + fresh))
                  .prefixListName(name)
                  .ownerId(scope.account())
                  .addressFamily(family)
                  .maxEntries(most)
                  .version(0L)
                  .state(PrefixListState.CREATE_COMPLETE)
                  .build();
          next(tx, list, entries);
          Tags.put(tx, fresh, tags);
          ClientToken.put(tx, request.clientToken(), asked, fresh);
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, Kind.PREFIX_LIST.get(tx, fresh));
        });
    return CreateManagedPrefixListResponse.builder().prefixList(made).build();
  }

  private static String name(String name) {
    if (name.startsWith("com.amazonaws") || name.isEmpty() || name.length() > 255) {
      throw Refuse.invalidValue(
          name, "PrefixListName", "It must have 1 to 255 characters and not begin com.amazonaws.");
    }
    return name;
  }

  private static int most(int most) {
    if (most < 1 || most > MOST_ENTRIES) {
      throw Refuse.invalidValue(
          String.valueOf(most), "MaxEntries", "It must be between 1 and " + MOST_ENTRIES + ".");
    }
    return most;
  }

  /** Stores a new version. */
  private static void next(Tx tx, ManagedPrefixList list, List<PrefixListEntry> entries) {
    if (entries.size() > list.maxEntries()) {
      throw Refuse.because(
          "PrefixListMaxEntriesExceeded",
          "The prefix list has more than its maximum of " + list.maxEntries() + " entries");
    }
    long version = list.version() + 1;
    tx.put(
        PrefixListVersion.VERSIONS,
        PrefixListVersion.key(list.prefixListId(), version),
        new PrefixListVersion(entries));
    tx.delete(
        PrefixListVersion.VERSIONS,
        PrefixListVersion.key(list.prefixListId(), version - MOST_VERSIONS));
    tx.put(Tables.PREFIX_LISTS, list.prefixListId(), list.toBuilder().version(version).build());
  }

  private static List<PrefixListEntry> changed(
      String family,
      List<PrefixListEntry> present,
      List<AddPrefixListEntry> added,
      List<RemovePrefixListEntry> removed) {
    if (Math.max(added.size(), removed.size()) > MOST_AT_ONCE) {
      throw Refuse.invalidValue(
          "A request may add or remove at most " + MOST_AT_ONCE + " entries of a prefix list");
    }
    Map<String, PrefixListEntry> entries = new LinkedHashMap<>();
    present.forEach(entry -> entries.put(entry.cidr(), entry));
    Set<String> gone = new HashSet<>();
    for (RemovePrefixListEntry one : removed) {
      String cidr = block(family, one.cidr());
      gone.add(cidr);
      if (entries.remove(cidr) == null) {
        throw Refuse.invalidValue("The prefix list has no entry " + one.cidr());
      }
    }
    for (AddPrefixListEntry one : added) {
      String cidr = block(family, one.cidr());
      if (gone.contains(cidr)) {
        throw Refuse.invalidValue(
            "Request cannot contain Cidr "
                + cidr
                + " in both AddPrefixListEntries and RemovePrefixListEntries");
      }
      PrefixListEntry entry =
          PrefixListEntry.builder()
              .cidr(cidr)
              .description(Permissions.description(one.description()))
              .build();
      PrefixListEntry other = entries.put(cidr, entry);
      if (other != null && !other.equals(entry)) {
        // AWS says no more than this, and describes an entry anew only after it was removed.
        throw Refuse.because("InvalidRequest", "The request received was invalid.");
      }
    }
    return List.copyOf(entries.values());
  }

  private static String block(String family, @Nullable String cidr) {
    return family.equals(IPV4) ? Blocks.block(cidr) : Blocks.block6(cidr);
  }

  public ModifyManagedPrefixListResponse modify(ModifyManagedPrefixListRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "PrefixListId",
            "CurrentVersion",
            "PrefixListName",
            "AddEntries",
            "RemoveEntries",
            "MaxEntries",
            "DryRun"));
    String id = Refuse.required(request.prefixListId(), "PrefixListId");
    boolean entries = !request.addEntries().isEmpty() || !request.removeEntries().isEmpty();
    if (entries && request.maxEntries() != null) {
      throw Refuse.combination(
          "You cannot modify the entries and the maximum entries for the prefix list in the same"
              + " request.");
    }
    ManagedPrefixList list =
        store.write(tx -> {
          ManagedPrefixList before = Kind.PREFIX_LIST.get(tx, id);
          ManagedPrefixList.Builder after = before.toBuilder();
          if (request.prefixListName() != null) {
            after.prefixListName(name(request.prefixListName()));
          }
          List<PrefixListEntry> present = PrefixListVersion.current(tx, id);
          if (request.maxEntries() != null) {
            if (most(request.maxEntries()) < present.size()) {
              throw Refuse.invalidValue(
                  request.maxEntries().toString(),
                  "MaxEntries",
                  "The prefix list has " + present.size() + " entries.");
            }
            after.maxEntries(request.maxEntries());
          }
          after.state(PrefixListState.MODIFY_COMPLETE);
          tx.put(Tables.PREFIX_LISTS, id, after.build());
          groups(tx, id).forEach(group -> SecurityGroupRules.mustFit(tx, group));
          Routes.tables(tx, id).forEach(table -> Routes.mustFit(tx, table));
          if (entries) {
            mustBeCurrent(before, request.currentVersion());
            next(
                tx,
                after.build(),
                changed(
                    before.addressFamily(),
                    present,
                    request.addEntries(),
                    request.removeEntries()));
            Routes.tables(tx, id).forEach(table -> Routes.mustLeadOut(tx, table, id));
          }
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, Kind.PREFIX_LIST.get(tx, id));
        });
    apply(id);
    return ModifyManagedPrefixListResponse.builder().prefixList(list).build();
  }

  private static void mustBeCurrent(ManagedPrefixList list, @Nullable Long given) {
    long version = Refuse.required(given, "CurrentVersion");
    if (version != list.version()) {
      throw Refuse.because(
          "PrefixListVersionMismatch", "The prefix list has the incorrect version number");
    }
  }

  public RestoreManagedPrefixListVersionResponse restore(
      RestoreManagedPrefixListVersionRequest request) {
    String id = Refuse.required(request.prefixListId(), "PrefixListId");
    long previous = Refuse.required(request.previousVersion(), "PreviousVersion");
    ManagedPrefixList list =
        store.write(tx -> {
          ManagedPrefixList before = Kind.PREFIX_LIST.get(tx, id);
          mustBeCurrent(before, request.currentVersion());
          next(
              tx,
              before.toBuilder().state(PrefixListState.RESTORE_COMPLETE).build(),
              PrefixListVersion.of(tx, id, previous));
          Routes.tables(tx, id).forEach(table -> Routes.mustLeadOut(tx, table, id));
          Refuse.ifDryRun(request.dryRun());
          return shown(tx, Kind.PREFIX_LIST.get(tx, id));
        });
    apply(id);
    return RestoreManagedPrefixListVersionResponse.builder().prefixList(list).build();
  }

  /** Whatever refers to a list means its newest version when the call returns. */
  private void apply(String id) {
    store.read(tx -> groups(tx, id)).forEach(plane::groupAlone);
    store.read(tx -> Routes.tables(tx, id)).stream()
        .map(RouteTable::vpcId)
        .distinct()
        .forEach(plane::ways);
  }

  /** The ids of whatever refers to a list. */
  private static List<String> users(Tx tx, String id) {
    return Stream.concat(
            groups(tx, id).stream(), Routes.tables(tx, id).stream().map(RouteTable::routeTableId))
        .toList();
  }

  private static List<String> groups(Tx tx, String id) {
    return Tables.of(tx, Tables.RULES, "prefix-list", id).stream()
        .map(SecurityGroupRule::groupId)
        .distinct()
        .sorted()
        .toList();
  }

  public DeleteManagedPrefixListResponse delete(DeleteManagedPrefixListRequest request) {
    String id = Refuse.required(request.prefixListId(), "PrefixListId");
    ManagedPrefixList gone =
        store.write(tx -> {
          ManagedPrefixList list = Kind.PREFIX_LIST.get(tx, id);
          if (!users(tx, id).isEmpty()) {
            throw Refuse.dependency(
                "The prefix list '" + id + "' is in use and cannot be deleted.");
          }
          for (long v = Math.max(1, list.version() - MOST_VERSIONS); v <= list.version(); v++) {
            tx.delete(PrefixListVersion.VERSIONS, PrefixListVersion.key(id, v));
          }
          ClientToken.forget(tx, id);
          Tags.forget(tx, id);
          tx.delete(Tables.PREFIX_LISTS, id);
          Refuse.ifDryRun(request.dryRun());
          return list;
        });
    return DeleteManagedPrefixListResponse.builder()
        .prefixList(gone.toBuilder().state(PrefixListState.DELETE_COMPLETE).build())
        .build();
  }

  private static ManagedPrefixList shown(Tx tx, ManagedPrefixList list) {
    return list.toBuilder().tags(Tags.of(tx, list.prefixListId())).build();
  }

  public DescribeManagedPrefixListsResponse describe(DescribeManagedPrefixListsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<ManagedPrefixList> all =
        store.read(tx ->
            Kind.PREFIX_LIST.list(tx, request.prefixListIds()).stream()
                .map(list -> shown(tx, list))
                .toList());
    Pages<ManagedPrefixList> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            ManagedPrefixList::prefixListId,
            request.prefixListIds(),
            request.nextToken(),
            request.maxResults(),
            new Pages.Sizes(1, 100));
    return DescribeManagedPrefixListsResponse.builder()
        .prefixLists(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  public GetManagedPrefixListEntriesResponse entries(GetManagedPrefixListEntriesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    String id = Refuse.required(request.prefixListId(), "PrefixListId");
    List<PrefixListEntry> all =
        store.read(tx ->
            request.targetVersion() == null
                ? PrefixListVersion.current(tx, id)
                : PrefixListVersion.of(
                    tx, Kind.PREFIX_LIST.get(tx, id).prefixListId(), request.targetVersion()));
    List<PrefixListEntry> sorted = new ArrayList<>(all);
    sorted.sort((a, b) -> a.cidr().compareTo(b.cidr()));
    Pages<PrefixListEntry> page =
        Pages.of(
            sorted, PrefixListEntry::cidr, List.of(), request.nextToken(), request.maxResults());
    return GetManagedPrefixListEntriesResponse.builder()
        .entries(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  public GetManagedPrefixListAssociationsResponse associations(
      GetManagedPrefixListAssociationsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    String id = Refuse.required(request.prefixListId(), "PrefixListId");
    List<PrefixListAssociation> all =
        store.read(tx -> {
          Kind.PREFIX_LIST.get(tx, id);
          return users(tx, id).stream()
              .map(user ->
                  PrefixListAssociation.builder()
                      .resourceId(user)
                      .resourceOwner(scope.account())
                      .build())
              .toList();
        });
    Pages<PrefixListAssociation> page =
        Pages.of(
            all,
            PrefixListAssociation::resourceId,
            List.of(),
            request.nextToken(),
            request.maxResults());
    return GetManagedPrefixListAssociationsResponse.builder()
        .prefixListAssociations(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
