"""Every GraphQL document that the command line sends, by name."""

SEARCH = """
query Search($query: String!, $kinds: [EntityKind!], $first: Int!) {
  search(query: $query, kinds: $kinds, first: $first) {
    totalCount didYouMean
    edges { score node { id urn kind name displayName description namespace { name } tags { key value } } }
  }
}
"""

_COLUMN = "id name type ordinal description tags { key value }"

SHOW = f"""
query Show($ref: String!, $runs: Int!) {{
  entity(ref: $ref) {{
    __typename id urn kind name displayName description createdAt archivedAt upstreamCount downstreamCount
    namespace {{ name }} owners {{ name type }} tags {{ key value }}
    facets {{ name observedAt }}
    ... on Dataset {{
      symlinks
      columns {{ {_COLUMN} fields {{ {_COLUMN} }} }}
      currentVersion {{ version createdAt rowCount bytes lifecycleState producedBy {{ runId state startedAt }} }}
      producers(first: 10) {{ totalCount edges {{ node {{ name namespace {{ name }} }} }} }}
      consumers(first: 10) {{ totalCount edges {{ node {{ name namespace {{ name }} }} }} }}
    }}
    ... on Column {{
      dataset {{ name namespace {{ name }} }} type ordinal
      upstream {{ type subtype masking column {{ name dataset {{ name namespace {{ name }} }} }} job {{ name }} }}
      downstream {{ type subtype masking column {{ name dataset {{ name namespace {{ name }} }} }} job {{ name }} }}
    }}
    ... on Job {{
      jobType integration processingType sql sourceCodeUrl
      parent {{ name namespace {{ name }} }}
      inputs {{ name namespace {{ name }} }} outputs {{ name namespace {{ name }} }}
      runs(first: $runs) {{ totalCount
        edges {{ node {{ runId state startedAt endedAt durationMs error {{ message }} }} }} }}
    }}
    ... on Run {{
      runId state startedAt endedAt durationMs nominalStart
      job {{ name namespace {{ name }} }} parent {{ runId job {{ name }} }}
      error {{ message language }}
      inputs {{ version dataset {{ name namespace {{ name }} }} }}
      outputs {{ version dataset {{ name namespace {{ name }} }} }}
    }}
    ... on RegisteredModel {{
      revision stages {{ name order exclusive currentVersions {{ version }} }}
      aliases {{ name version {{ version }} }}
      versions(first: 20) {{ totalCount
        edges {{ node {{ version createdAt stage {{ name }} aliasNames run {{ runId }} }} }} }}
    }}
    ... on ModelVersion {{
      version sourceUri contentHash stage {{ name }} aliasNames
      model {{ name }} run {{ runId state job {{ name namespace {{ name }} }} }}
      trainedOn {{ version dataset {{ name namespace {{ name }} }} }}
      transitions(first: 20) {{ edges {{ node {{ fromStage toStage requestedBy {{ name }} requestedAt comment }} }} }}
    }}
  }}
}}
"""

_NODE = """id urn kind name namespace platform depth parentId status stage tags columnCount
    upstreamCount downstreamCount hiddenUpstream hiddenDownstream archived"""
_EDGE = "source target kind evidence transformation subtype masking via count weight"
_GRAPH = f"""root asOf granularity totalNodes totalEdges truncated truncatedReason frontier
    nodes {{ {_NODE} }} edges {{ {_EDGE} }}"""

LINEAGE = f"""
query Lineage($ref: String!, $up: Int!, $down: Int!, $withUp: Boolean!, $withDown: Boolean!,
    $granularity: Granularity!, $asOf: TimePoint, $maxNodes: Int!) {{
  upstream: lineage(ref: $ref, direction: UPSTREAM, depth: $up, granularity: $granularity, asOf: $asOf,
      maxNodes: $maxNodes) @include(if: $withUp) {{ {_GRAPH} }}
  downstream: lineage(ref: $ref, direction: DOWNSTREAM, depth: $down, granularity: $granularity, asOf: $asOf,
      maxNodes: $maxNodes) @include(if: $withDown) {{ {_GRAPH} }}
}}
"""

DIFF = f"""
query LineageDiff($ref: String!, $from: TimePoint!, $to: TimePoint, $depth: Int!, $direction: LineageDirection!) {{
  lineageDiff(ref: $ref, from: $from, to: $to, depth: $depth, direction: $direction) {{
    from to addedNodes removedNodes addedEdges removedEdges {{ {_EDGE} }}
    graph {{ {_GRAPH} }}
  }}
}}
"""

NAMES = """
query Names($ids: [ID!]!) { nodes(ids: $ids) { id ... on Entity { urn } } }
"""

_PATH = f"length text nodes {{ {_NODE} }} edges {{ {_EDGE} }}"

IMPACT = """
query Impact($input: ImpactInput!) {
  impact(input: $input) {
    change asOf truncated markdown
    subject { id urn kind name namespace { name } }
    summary {
      byKind { kind count } bySeverity { severity count }
      productionModels { urn version model { name } stage { name } } owners { name type }
    }
    items {
      totalCount pageInfo { hasNextPage endCursor }
      edges { node {
        severity score distance alternativePaths
        entity { id urn kind name displayName namespace { name } owners { name } }
        reasons { code text } columns { name } path { length text }
      } }
    }
  }
}
"""

PATHS = f"""
query Paths($from: String!, $to: String!, $granularity: Granularity!, $asOf: TimePoint, $limit: Int!) {{
  paths(from: $from, to: $to, granularity: $granularity, asOf: $asOf, limit: $limit) {{ {_PATH} }}
}}
"""

WHY = """
query Why($from: String!, $to: String!, $first: Int!) {
  why(from: $from, to: $to, first: $first) {
    totalCount
    edges { node { kind producer firstSeq lastSeq firstSeen lastSeen runId current confidence note } }
  }
}
"""

EVENTS = """
query Events($first: Int!, $after: String, $ref: String, $producer: String, $kind: String) {
  events(first: $first, after: $after, ref: $ref, producer: $producer, kind: $kind) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { node { seq receivedAt eventTime kind eventType producer runId jobName jobNamespace warnings projected erasedBy } }
  }
}
"""

EVENT = """
query Event($seq: Long!) {
  event(seq: $seq) { seq receivedAt eventTime kind eventType producer runId jobName jobNamespace warnings projected erasedBy raw }
}
"""

AUDIT_LOG = """
query AuditLog($first: Int!, $ref: String, $action: String, $since: DateTime, $until: DateTime) {
  auditLog(first: $first, ref: $ref, action: $action, since: $since, until: $until) {
    totalCount pageInfo { hasNextPage endCursor }
    edges { node {
      seq at actor { name kind } action subject { urn } before after comment erasedBy prevHash hash
    } }
  }
}
"""

CONFORMANCE = """
query Conformance($first: Int!, $producer: String) {
  conformance(first: $first, producer: $producer) {
    totalCount edges { node { producer rule text count firstSeen lastSeen exampleSeq } }
  }
}
"""

SERVER = """
query Server { server { version backend nodeCount edgeCount eventsIngested readOnly
  limits { maxDepth maxNodes maxPage maxCost } } }
"""

MODELS = """
query Models($first: Int!, $query: String) {
  models(first: $first, query: $query) {
    totalCount
    edges { node {
      urn name description revision createdAt tags { key value }
      stages { name order currentVersions { version } }
      aliases { name version { version } }
      versions(first: 1) { totalCount edges { node { version createdAt } } }
    } }
  }
}
"""

IN_STAGE = """
query InStage($stage: String!, $asOf: TimePoint, $first: Int!) {
  modelsInStage(stage: $stage, asOf: $asOf, first: $first) {
    totalCount edges { node { urn version model { name } stage { name } aliasNames } }
  }
}
"""

HISTORY = """
query History($ref: String!, $first: Int!) {
  entity(ref: $ref) {
    __typename urn
    ... on RegisteredModel { name versions(first: $first) { edges { node {
      version transitions(first: $first) { edges { node {
        fromStage toStage transitionState requestedBy { name } requestedAt comment archivedVersions { version } } } }
    } } } }
    ... on ModelVersion { version model { name } transitions(first: $first) { edges { node {
      fromStage toStage transitionState requestedBy { name } requestedAt comment archivedVersions { version } } } } }
  }
}
"""

_ERRORS = """
    ... on UserError { code message field }
    ... on NotFoundError { ref didYouMean }"""
_RACE = "... on ConflictError { expectedRevision actualRevision }"

REGISTER_MODEL = """
mutation Register($input: RegisterModelInput!) {
  registerModel(input: $input) {
    __typename
    ... on RegisterModelPayload { model { urn name revision stages { name order exclusive } } }
    ... on UserError { code message field }
  }
}
"""

CREATE_VERSION = f"""
mutation CreateVersion($input: CreateModelVersionInput!) {{
  createModelVersion(input: $input) {{
    __typename
    ... on CreateModelVersionPayload {{ modelVersion {{ urn version model {{ name revision }} run {{ runId }} }} }}
    {_ERRORS}
  }}
}}
"""

TRANSITION = f"""
mutation Transition($input: TransitionStageInput!) {{
  transitionStage(input: $input) {{
    __typename
    ... on TransitionPayload {{
      revision modelVersion {{ urn version model {{ name }} stage {{ name }} }}
      transition {{ fromStage toStage transitionState archivedVersions {{ version }} }}
    }}
    {_ERRORS}
    {_RACE}
  }}
}}
"""

SET_ALIAS = f"""
mutation SetAlias($input: SetAliasInput!) {{
  setAlias(input: $input) {{
    __typename
    ... on AliasPayload {{ model {{ urn name revision }} alias {{ name version {{ version }} }} previous {{ version }} }}
    {_ERRORS}
    {_RACE}
  }}
}}
"""

COMPLETE = """
query Complete($query: String!) { search(query: $query, first: 20) { edges { node { urn name } } } }
"""

_DEAD_LETTER = "seq kind reason tries firstFailedAt lastFailedAt"

DEAD_LETTERS = f"""
query DeadLetters($first: Int) {{
  deadLetters(first: $first) {{ totalCount edges {{ node {{ {_DEAD_LETTER} }} }} }}
}}
"""

DECIDE_DEAD_LETTERS = {
    name: f"""
mutation Decide($input: DeadLettersInput!) {{
  {name}(input: $input) {{
    ... on DeadLettersPayload {{ done remaining {{ {_DEAD_LETTER} }} }}
    ... on UserError {{ code message }}
  }}
}}
"""
    for name in ("retryDeadLetters", "dropDeadLetters")
}
