! dnn_train for Fortran 2008: the calls of dnn_train.h with arrays as Fortran has them.
!
!   use mpi_f08
!   use dnn_train
!   type(dnn_trainer) :: trainer
!   integer :: status
!   call trainer%open(MPI_COMM_WORLD, "hidden = [64, 32]", status)
!   call trainer%put(x, targets=y, ids=ids, status=status)      ! x(samples, features)
!   call trainer%fit(status)
!   call trainer%close(status)
!
! A matrix has a row for each sample: x(i, j) is feature j of sample i. It may be any section of an
! array. Matrices are not copied: those given to put must stay where they are until the call that
! uses them (fit, prepare, step, evaluate) has returned, so give them the attribute target. Every call
! gives a status, 0 or one of dnn_train.h's codes, and trainer%error() its text; without the
! argument status, an error ends the program. Blanks at the end of a path or of a figure's name are
! ignored. For what each call does, and which are collective, see dnn_train.hpp.
module dnn_train
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: error_unit
  use mpi_f08, only: MPI_Comm
  implicit none
  private

  public :: dnn_trainer, dnn_train_version

  integer, parameter :: float_type = 0, double_type = 1

  type, bind(c) :: c_matrix
    type(c_ptr) :: data = c_null_ptr
    integer(c_int) :: type = 0
    integer(c_size_t) :: rows = 0, columns = 0
    integer(c_intptr_t) :: row_stride = 0, column_stride = 0
  end type

  type, bind(c) :: c_fit_result
    integer(c_int64_t) :: epochs, best_epoch
    real(c_double) :: loss, validation_loss
    integer(c_int) :: stopped
  end type

  type :: dnn_trainer
    private
    type(c_ptr) :: handle = c_null_ptr
    integer(c_int32_t), allocatable :: classes(:)  ! copies of what put was given
    integer(c_int64_t), allocatable :: ids(:)
    real(c_double), allocatable :: weights(:)
    character(:), allocatable :: refusal           ! by this module, in the last call; not allocated: none
  contains
    procedure, private :: open_f08, open_integer
    generic :: open => open_f08, open_integer          ! type(MPI_Comm), or integer of `use mpi`
    procedure, private :: put_double, put_float
    generic :: put => put_double, put_float
    procedure :: fit, prepare, step, evaluate, figure, recent_loss, set_learning_rate
    procedure, private :: predict_double, predict_float
    generic :: predict => predict_double, predict_float
    procedure :: save => save_model, load => load_model
    procedure :: state, restore
    procedure :: shape => shape_of_network
    procedure :: hash, request_stop, error, close => close_trainer
  end type

  interface
    integer(c_int) function c_open(communicator, options, handle) bind(c, name="dnn_train_open_fortran")
      import
      integer(c_int), value :: communicator
      character(c_char), intent(in) :: options(*)
      type(c_ptr), intent(out) :: handle
    end function
    integer(c_int) function c_put(handle, features, classes, targets, ids, weights) &
        bind(c, name="dnn_train_put")
      import
      type(c_ptr), value :: handle, features, classes, targets, ids, weights
    end function
    integer(c_int) function c_fit(handle, result) bind(c, name="dnn_train_fit")
      import
      type(c_ptr), value :: handle
      type(c_fit_result), intent(out) :: result
    end function
    integer(c_int) function c_prepare(handle) bind(c, name="dnn_train_prepare")
      import
      type(c_ptr), value :: handle
    end function
    integer(c_int) function c_step(handle, result) bind(c, name="dnn_train_step")
      import
      type(c_ptr), value :: handle, result
    end function
    integer(c_int) function c_evaluate(handle, loss, accuracy) bind(c, name="dnn_train_evaluate")
      import
      type(c_ptr), value :: handle
      real(c_double), intent(out) :: loss, accuracy
    end function
    integer(c_int) function c_figure(handle, name, value) bind(c, name="dnn_train_figure")
      import
      type(c_ptr), value :: handle
      character(c_char), intent(in) :: name(*)
      real(c_double), intent(out) :: value
    end function
    integer(c_int) function c_recent_loss(handle, loss) bind(c, name="dnn_train_recent_loss")
      import
      type(c_ptr), value :: handle
      real(c_double), intent(out) :: loss
    end function
    integer(c_int) function c_set_rate(handle, rate) bind(c, name="dnn_train_set_learning_rate")
      import
      type(c_ptr), value :: handle
      real(c_double), value :: rate
    end function
    integer(c_int) function c_predict(handle, features, type, answers) bind(c, name="dnn_train_predict")
      import
      type(c_ptr), value :: handle, features, answers
      integer(c_int), value :: type
    end function
    integer(c_int) function c_save(handle, path) bind(c, name="dnn_train_save")
      import
      type(c_ptr), value :: handle
      character(c_char), intent(in) :: path(*)
    end function
    integer(c_int) function c_load(handle, path) bind(c, name="dnn_train_load")
      import
      type(c_ptr), value :: handle
      character(c_char), intent(in) :: path(*)
    end function
    integer(c_int) function c_shape(handle, features, outputs) bind(c, name="dnn_train_shape")
      import
      type(c_ptr), value :: handle
      integer(c_size_t), intent(out) :: features, outputs
    end function
    integer(c_int) function c_state(handle, bytes, size) bind(c, name="dnn_train_state")
      import
      type(c_ptr), value :: handle
      type(c_ptr), intent(out) :: bytes
      integer(c_size_t), intent(out) :: size
    end function
    integer(c_int) function c_restore(handle, bytes, size) bind(c, name="dnn_train_restore")
      import
      type(c_ptr), value :: handle, bytes
      integer(c_size_t), value :: size
    end function
    integer(c_int) function c_hash(handle, hash) bind(c, name="dnn_train_hash")
      import
      type(c_ptr), value :: handle
      character(c_char), intent(out) :: hash(65)
    end function
    integer(c_int) function c_request_stop(handle) bind(c, name="dnn_train_request_stop")
      import
      type(c_ptr), value :: handle
    end function
    type(c_ptr) function c_error(handle) bind(c, name="dnn_train_error")
      import
      type(c_ptr), value :: handle
    end function
    integer(c_int) function c_close(handle) bind(c, name="dnn_train_close")
      import
      type(c_ptr), intent(inout) :: handle
    end function
    type(c_ptr) function c_version() bind(c, name="dnn_train_version")
      import
    end function
    integer(c_size_t) function c_strlen(text) bind(c, name="strlen")
      import
      type(c_ptr), value :: text
    end function
  end interface

contains

  function dnn_train_version() result(version)
    character(:), allocatable :: version
    version = text_of(c_version())
  end function

  subroutine open_f08(self, communicator, options, status)
    class(dnn_trainer), intent(inout) :: self
    type(MPI_Comm), intent(in) :: communicator
    character(*), intent(in) :: options
    integer, intent(out), optional :: status
    call self%open_integer(communicator%MPI_VAL, options, status)
  end subroutine

  subroutine open_integer(self, communicator, options, status)
    class(dnn_trainer), intent(inout) :: self
    integer, intent(in) :: communicator
    character(*), intent(in) :: options
    integer, intent(out), optional :: status
    if (c_associated(self%handle)) then
      call refuse(self, "open: the trainer is open already; close it first", status)
      return
    end if
    call give(self, c_open(int(communicator, c_int), options // c_null_char, self%handle), status)
  end subroutine

  ! classes: of each sample, from 0. targets(samples, outputs). ids: of each sample, any integers
  ! that no two samples of all ranks have in common. weights: of each sample.
  subroutine put_double(self, features, classes, targets, ids, weights, status)
    class(dnn_trainer), intent(inout) :: self
    real(c_double), intent(in), target :: features(:, :)
    integer(c_int32_t), intent(in), optional :: classes(:)
    real(c_double), intent(in), target, optional :: targets(:, :)
    integer(c_int64_t), intent(in), optional :: ids(:)
    real(c_double), intent(in), optional :: weights(:)
    integer, intent(out), optional :: status
    call put_matrix(self, matrix_double(features), classes, targets, ids, weights, status)
  end subroutine

  subroutine put_float(self, features, classes, targets, ids, weights, status)
    class(dnn_trainer), intent(inout) :: self
    real(c_float), intent(in), target :: features(:, :)
    integer(c_int32_t), intent(in), optional :: classes(:)
    real(c_double), intent(in), target, optional :: targets(:, :)
    integer(c_int64_t), intent(in), optional :: ids(:)
    real(c_double), intent(in), optional :: weights(:)
    integer, intent(out), optional :: status
    call put_matrix(self, matrix_float(features), classes, targets, ids, weights, status)
  end subroutine

  subroutine put_matrix(self, features, classes, targets, ids, weights, status)
    class(dnn_trainer), intent(inout), target :: self
    type(c_matrix), intent(in), target :: features
    integer(c_int32_t), intent(in), optional :: classes(:)
    real(c_double), intent(in), target, optional :: targets(:, :)
    integer(c_int64_t), intent(in), optional :: ids(:)
    real(c_double), intent(in), optional :: weights(:)
    integer, intent(out), optional :: status
    type(c_matrix), target :: of_targets
    type(c_ptr) :: classes_at, targets_at, ids_at, weights_at
    logical :: fits
    fits = .true.
    if (present(classes)) fits = fits .and. size(classes, kind=c_size_t) == features%rows
    if (present(ids)) fits = fits .and. size(ids, kind=c_size_t) == features%rows
    if (present(weights)) fits = fits .and. size(weights, kind=c_size_t) == features%rows
    if (.not. fits) then
      call refuse(self, "put: classes, ids and weights have an element for each row of the features", status)
      return
    end if
    classes_at = c_null_ptr
    targets_at = c_null_ptr
    ids_at = c_null_ptr
    weights_at = c_null_ptr
    if (present(classes)) then
      self%classes = classes
      if (size(classes, kind=c_size_t) > 0) classes_at = c_loc(self%classes)
    end if
    if (present(ids)) then
      self%ids = ids
      if (size(ids, kind=c_size_t) > 0) ids_at = c_loc(self%ids)
    end if
    if (present(weights)) then
      self%weights = weights
      if (size(weights, kind=c_size_t) > 0) weights_at = c_loc(self%weights)
    end if
    if (present(targets)) then
      of_targets = matrix_double(targets)
      targets_at = c_loc(of_targets)
    end if
    call give(self, c_put(self%handle, c_loc(features), classes_at, targets_at, ids_at, weights_at), status)
  end subroutine

  subroutine fit(self, status, loss)
    class(dnn_trainer), intent(inout) :: self
    integer, intent(out), optional :: status
    real(c_double), intent(out), optional :: loss  ! of training, in the last epoch
    type(c_fit_result) :: result
    call give(self, c_fit(self%handle, result), status)
    if (present(loss)) loss = result%loss
  end subroutine

  subroutine prepare(self, status)
    class(dnn_trainer), intent(inout) :: self
    integer, intent(out), optional :: status
    call give(self, c_prepare(self%handle), status)
  end subroutine

  subroutine step(self, status)
    class(dnn_trainer), intent(inout) :: self
    integer, intent(out), optional :: status
    call give(self, c_step(self%handle, c_null_ptr), status)
  end subroutine

  subroutine evaluate(self, loss, accuracy, status)
    class(dnn_trainer), intent(inout) :: self
    real(c_double), intent(out) :: loss
    real(c_double), intent(out), optional :: accuracy
    integer, intent(out), optional :: status
    real(c_double) :: right
    call give(self, c_evaluate(self%handle, loss, right), status)
    if (present(accuracy)) accuracy = right
  end subroutine

  subroutine figure(self, name, value, status)
    class(dnn_trainer), intent(inout) :: self
    character(*), intent(in) :: name
    real(c_double), intent(out) :: value
    integer, intent(out), optional :: status
    call give(self, c_figure(self%handle, trim(name) // c_null_char, value), status)
  end subroutine

  subroutine recent_loss(self, loss, status)
    class(dnn_trainer), intent(inout) :: self
    real(c_double), intent(out) :: loss
    integer, intent(out), optional :: status
    call give(self, c_recent_loss(self%handle, loss), status)
  end subroutine

  subroutine set_learning_rate(self, rate, status)
    class(dnn_trainer), intent(inout) :: self
    real(c_double), intent(in) :: rate
    integer, intent(out), optional :: status
    call give(self, c_set_rate(self%handle, rate), status)
  end subroutine

  ! answers(outputs, samples): the answers to a sample are contiguous.
  subroutine predict_double(self, features, answers, status)
    class(dnn_trainer), intent(inout) :: self
    real(c_double), intent(in), target :: features(:, :)
    real(c_double), intent(out), target, contiguous :: answers(:, :)
    integer, intent(out), optional :: status
    type(c_ptr) :: answers_at
    answers_at = c_null_ptr
    if (size(answers, kind=c_size_t) > 0) answers_at = c_loc(answers)
    call predict_rows(self, matrix_double(features), shape(answers, c_size_t), double_type, answers_at, status)
  end subroutine

  subroutine predict_float(self, features, answers, status)
    class(dnn_trainer), intent(inout) :: self
    real(c_float), intent(in), target :: features(:, :)
    real(c_float), intent(out), target, contiguous :: answers(:, :)
    integer, intent(out), optional :: status
    type(c_ptr) :: answers_at
    answers_at = c_null_ptr
    if (size(answers, kind=c_size_t) > 0) answers_at = c_loc(answers)
    call predict_rows(self, matrix_float(features), shape(answers, c_size_t), float_type, answers_at, status)
  end subroutine

  ! answers_at: null where the extents of the answers have no elements.
  subroutine predict_rows(self, rows, extents, type, answers_at, status)
    class(dnn_trainer), intent(inout) :: self
    type(c_matrix), intent(in), target :: rows
    integer(c_size_t), intent(in) :: extents(2)
    integer(c_int), intent(in) :: type
    type(c_ptr), intent(in) :: answers_at
    integer, intent(out), optional :: status
    type(c_ptr) :: address
    address = answers_at
    if (.not. c_associated(address)) address = c_loc(rows)  ! nothing is written there
    if (may_hold(self, extents, rows%rows)) then
      call give(self, c_predict(self%handle, c_loc(rows), type, address), status)
    else
      call refuse(self, "predict: answers has the shape (outputs, samples)", status)
    end if
  end subroutine

  ! Inputs and outputs of the network; 0 where there is none yet.
  subroutine shape_of_network(self, features, outputs, status)
    class(dnn_trainer), intent(inout) :: self
    integer(c_size_t), intent(out) :: features, outputs
    integer, intent(out), optional :: status
    call give(self, c_shape(self%handle, features, outputs), status)
  end subroutine

  ! Everything that step needs to continue, on rank 0; no bytes elsewhere.
  subroutine state(self, bytes, status)
    class(dnn_trainer), intent(inout) :: self
    integer(c_int8_t), allocatable, intent(out) :: bytes(:)
    integer, intent(out), optional :: status
    type(c_ptr) :: address
    integer(c_size_t) :: count
    integer(c_int8_t), pointer :: there(:)
    integer(c_int) :: code
    count = 0
    code = c_state(self%handle, address, count)
    if (code == 0 .and. count > 0) then
      call c_f_pointer(address, there, [count])
      bytes = there
    else
      allocate (bytes(0))
    end if
    call give(self, code, status)
  end subroutine

  ! Continues from the bytes that rank 0 gives.
  subroutine restore(self, bytes, status)
    class(dnn_trainer), intent(inout) :: self
    integer(c_int8_t), intent(in), target, contiguous :: bytes(:)
    integer, intent(out), optional :: status
    type(c_ptr) :: address
    address = c_null_ptr
    if (size(bytes, kind=c_size_t) > 0) address = c_loc(bytes)
    call give(self, c_restore(self%handle, address, size(bytes, kind=c_size_t)), status)
  end subroutine

  subroutine save_model(self, path, status)
    class(dnn_trainer), intent(inout) :: self
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call give(self, c_save(self%handle, trim(path) // c_null_char), status)
  end subroutine

  subroutine load_model(self, path, status)
    class(dnn_trainer), intent(inout) :: self
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call give(self, c_load(self%handle, trim(path) // c_null_char), status)
  end subroutine

  subroutine hash(self, text, status)
    class(dnn_trainer), intent(inout) :: self
    character(64), intent(out) :: text
    integer, intent(out), optional :: status
    character(c_char) :: letters(65)
    integer :: i
    letters = ' '
    call give(self, c_hash(self%handle, letters), status)
    do i = 1, 64
      text(i:i) = letters(i)
    end do
  end subroutine

  ! From any thread, while another one is in a call: so this changes the trainer only if it fails.
  subroutine request_stop(self, status)
    class(dnn_trainer), intent(inout) :: self
    integer, intent(out), optional :: status
    integer(c_int) :: code
    code = c_request_stop(self%handle)
    if (code /= 0) then
      call give(self, code, status)
    else if (present(status)) then
      status = 0
    end if
  end subroutine

  ! The message of the last call that failed.
  function error(self) result(message)
    class(dnn_trainer), intent(in) :: self
    character(:), allocatable :: message
    if (allocated(self%refusal)) then
      message = self%refusal
    else
      message = text_of(c_error(self%handle))
    end if
  end function

  subroutine close_trainer(self, status)
    class(dnn_trainer), intent(inout) :: self
    integer, intent(out), optional :: status
    call give(self, c_close(self%handle), status)
  end subroutine

  ! Whether an array of this shape holds the answers of so many samples. True as well where there is
  ! no network: c_predict says so itself.
  logical function may_hold(self, extents, samples)
    class(dnn_trainer), intent(in) :: self
    integer(c_size_t), intent(in) :: extents(2), samples
    integer(c_size_t) :: features, outputs
    may_hold = .true.
    if (c_shape(self%handle, features, outputs) /= 0) return
    if (outputs > 0) may_hold = all(extents == [outputs, samples])
  end function

  ! What this module itself finds wrong.
  subroutine refuse(self, message, status)
    class(dnn_trainer), intent(inout) :: self
    character(*), intent(in) :: message
    integer, intent(out), optional :: status
    self%refusal = message
    if (present(status)) then
      status = 1
    else
      write (error_unit, '(a)') "dnn_train: " // message
      error stop 1
    end if
  end subroutine

  ! The outcome of a call of C, which replaces what this module found wrong before.
  subroutine give(self, code, status)
    class(dnn_trainer), intent(inout) :: self
    integer(c_int), intent(in) :: code
    integer, intent(out), optional :: status
    if (allocated(self%refusal)) deallocate (self%refusal)
    if (present(status)) then
      status = code
    else if (code /= 0) then
      write (error_unit, '(a)') "dnn_train: " // text_of(c_error(self%handle))
      error stop 1
    end if
  end subroutine

  function matrix_double(numbers) result(matrix)
    real(c_double), intent(in), target :: numbers(:, :)
    type(c_matrix) :: matrix
    matrix%type = double_type
    matrix%rows = size(numbers, 1, c_size_t)
    matrix%columns = size(numbers, 2, c_size_t)
    if (size(numbers, kind=c_size_t) == 0) return
    matrix%data = c_loc(numbers(1, 1))
    if (matrix%rows > 1) matrix%row_stride = distance(c_loc(numbers(2, 1)), matrix%data, c_sizeof(1.0_c_double))
    if (matrix%columns > 1) matrix%column_stride = distance(c_loc(numbers(1, 2)), matrix%data, c_sizeof(1.0_c_double))
  end function

  function matrix_float(numbers) result(matrix)
    real(c_float), intent(in), target :: numbers(:, :)
    type(c_matrix) :: matrix
    matrix%type = float_type
    matrix%rows = size(numbers, 1, c_size_t)
    matrix%columns = size(numbers, 2, c_size_t)
    if (size(numbers, kind=c_size_t) == 0) return
    matrix%data = c_loc(numbers(1, 1))
    if (matrix%rows > 1) matrix%row_stride = distance(c_loc(numbers(2, 1)), matrix%data, c_sizeof(1.0_c_float))
    if (matrix%columns > 1) matrix%column_stride = distance(c_loc(numbers(1, 2)), matrix%data, c_sizeof(1.0_c_float))
  end function

  ! The distance from `first` to `place` in elements of `bytes` bytes.
  integer(c_intptr_t) function distance(place, first, bytes)
    type(c_ptr), intent(in) :: place, first
    integer(c_size_t), intent(in) :: bytes
    distance = (transfer(place, 0_c_intptr_t) - transfer(first, 0_c_intptr_t)) / int(bytes, c_intptr_t)
  end function

  function text_of(address) result(text)
    type(c_ptr), intent(in) :: address
    character(:), allocatable :: text
    character(c_char), pointer :: letters(:)
    integer :: i
    text = ""
    if (.not. c_associated(address)) return
    call c_f_pointer(address, letters, [c_strlen(address)])
    do i = 1, size(letters)
      text = text // letters(i)
    end do
  end function

end module
